// A worker thread that opens a directory, adds a record, and does as it is told.
'use strict';

const { parentPort, workerData } = require('node:worker_threads');

const chroma = require('../..');

async function main({ path, id, then }) {
  const client = chroma.PersistentClient({ path });
  const collection = await client.getOrCreateCollection({ name: 'shared' });
  const embeddings = Array.from({ length: 500 }, (_, index) => [index, index % 7]);
  const ids = embeddings.map((_, index) => `${id}-${index}`);
  await collection.add({ ids, embeddings });
  if (then === 'close') return client.close();
  if (then === 'leave') return undefined;
  // To be terminated at any moment.
  parentPort.postMessage('busy');
  const query = () => collection.query({ queryEmbeddings: embeddings });
  for (;;) await Promise.all([query(), query(), query(), query(), query(), query()]);
}

main(workerData).then(() => parentPort.postMessage('done'));
