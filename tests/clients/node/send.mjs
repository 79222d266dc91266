// Sends an error, a message and a large error to the DSN given, and prints their ids.
import * as Sentry from '@sentry/node';

Sentry.init({ dsn: process.argv[2], release: 'shop@1.4.0', environment: 'production', serverName: 'web-1' });
Sentry.setUser({ id: 'u1' });
Sentry.startSession();
try {
  const order = null;
  order.sku;
} catch (error) {
  console.log(Sentry.captureException(error));
}
console.log(Sentry.captureMessage('disk almost full λ☃', 'warning'));
Sentry.setContext('big', { blob: 'ab12'.repeat(20000) });
console.log(Sentry.captureException(new Error('large')));
Sentry.endSession();
await Sentry.close(10000);
