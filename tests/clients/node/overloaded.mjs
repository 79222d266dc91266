// Sends events one by one to a server that soon has enough of them, waits until it may again, and reports what was lost.
// Says on standard output what became of each request: its status.
import * as Sentry from '@sentry/node';

const statuses = [];
Sentry.init({ dsn: process.argv[2], release: 'shop@1.4.0', serverName: 'web-1' });
Sentry.getClient().on('afterSendEvent', (event, answer) => statuses.push(answer?.statusCode ?? 0));
for (let number = 0; number < 12; number += 1) {
  Sentry.captureMessage(`early ${number}`);
  await new Promise((resolve) => setTimeout(resolve, 150)); // one after the other, so that the first refusal is heard
}
await new Promise((resolve) => setTimeout(resolve, Number(process.argv[3]) * 1000));
Sentry.captureMessage('late');
await Sentry.close(15000);
console.log(statuses.join(' '));
