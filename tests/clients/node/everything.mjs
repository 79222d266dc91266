// Sends one of everything that the server counts to the DSN given.
import * as Sentry from '@sentry/node';

Sentry.init({
  dsn: process.argv[2], release: 'shop@1.4.0', environment: 'production', serverName: 'web-1', tracesSampleRate: 1,
  integrations: [Sentry.featureFlagsIntegration()],
});
const flags = Sentry.getClient().getIntegrationByName('FeatureFlags');
flags.addFeatureFlag('new-checkout', true);
flags.addFeatureFlag('dark-mode', false);
Sentry.startSession();
Sentry.captureException(new Error('the order was not kept', { cause: new TypeError('no route to the database') }));
Sentry.endSession();
for (const status of [200, 404, 500]) {
  Sentry.startSpan({ name: 'GET /cart', op: 'http.server' }, (span) => {
    Sentry.setHttpStatus(span, status);
    Sentry.startSpan({ name: 'SELECT', op: 'db' }, () => {});
  });
}
const config = {
  schedule: { type: 'crontab', value: '0 2 * * *' }, timezone: 'Europe/Berlin', checkinMargin: 5, maxRuntime: 30,
  failureIssueThreshold: 2, recoveryThreshold: 3,
};
const run = Sentry.captureCheckIn({ monitorSlug: 'nightly', status: 'in_progress' }, config);
Sentry.captureCheckIn({ monitorSlug: 'nightly', status: 'ok', checkInId: run, duration: 1.5 });
Sentry.captureCheckIn({ monitorSlug: 'hourly', status: 'error' });
await Sentry.close(15000);
