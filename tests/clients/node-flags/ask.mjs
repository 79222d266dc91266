// The real OpenFeature clients: node ask.mjs server|web <base url> <key>; questions as JSON lines on standard input.
import { OpenFeature as Server } from '@openfeature/server-sdk';
import { OFREPProvider } from '@openfeature/ofrep-provider';
import { OpenFeature as Web } from '@openfeature/web-sdk';
import { OFREPWebProvider } from '@openfeature/ofrep-web-provider';
import { createInterface } from 'node:readline';

const [which, baseUrl, key] = process.argv.slice(2);
const lines = [];
for await (const line of createInterface({ input: process.stdin })) lines.push(JSON.parse(line));
const methods = {
  boolean: 'getBooleanDetails', string: 'getStringDetails', integer: 'getNumberDetails', float: 'getNumberDetails',
  object: 'getObjectDetails',
};
const told = (found) => console.log(JSON.stringify({
  value: found.value, variant: found.variant ?? null, reason: found.reason ?? null, error: found.errorCode ?? null,
}));
const headers = { Authorization: `Bearer ${key}` };
if (which === 'server') {
  await Server.setProviderAndWait(new OFREPProvider({ baseUrl, headersFactory: () => headers }));
  const client = Server.getClient();
  for (const each of lines) told(await client[methods[each.type]](each.flag, each.default, each.context));
} else {
  const contexts = [...new Set(lines.map((each) => JSON.stringify(each.context)))];
  const answers = new Map();
  for (const context of contexts) {
    await Web.setContext(JSON.parse(context));
    if (context === contexts[0]) {
      await Web.setProviderAndWait(new OFREPWebProvider({ baseUrl, pollInterval: 0, cacheMode: 'disabled', headers: Object.entries(headers) }));
    }
    const client = Web.getClient();
    for (const each of lines.filter((line) => JSON.stringify(line.context) === context)) {
      answers.set(each, client[methods[each.type]](each.flag, each.default));
    }
  }
  for (const each of lines) told(answers.get(each));
}
process.exit(0);
