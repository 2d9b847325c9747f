// Nothing is left behind: by calls, by clients that were dropped, by worker threads. What libchroma
// holds is counted by its own count of handles, which is the process's.
'use strict';

const assert = require('node:assert/strict');
const path = require('node:path');
const { test } = require('node:test');
const { setImmediate: turn } = require('node:timers/promises');
const v8 = require('node:v8');
const vm = require('node:vm');
const { Worker } = require('node:worker_threads');

const { EphemeralClient, PersistentClient } = require('..');
const { liveHandleCount } = require('../lib/native');
const { openCollection, temporaryDirectory } = require('./support/databases');

const MEBIBYTE = 2 ** 20;

// Not by the command's --expose-gc: newer versions of Node keep it from the processes of tests.
v8.setFlagsFromString('--expose-gc');
const gc = vm.runInNewContext('gc');

// Finalizers run in later turns of the event loop. More turns than they ever need.
async function collectGarbage() {
  for (let count = 0; count < 20; count++) {
    gc();
    await turn();
  }
}

/** Runs the worker until it exits, or says that it is busy. */
function startWorker(workerData) {
  const worker = new Worker(path.join(__dirname, 'support', 'worker.js'), { workerData });
  const exited = new Promise((resolve, reject) => {
    worker.on('error', reject);
    worker.on('exit', resolve);
  });
  const said = new Promise((resolve) => worker.on('message', resolve));
  return { worker, exited, said };
}

async function makeAndDrop(count) {
  for (let index = 0; index < count; index++) {
    const client = EphemeralClient();
    const collection = await client.createCollection({ name: 'notes' });
    await collection.add({ ids: ['a'], embeddings: [[1, 2]] });
  }
}

test('dropped clients are closed', async () => {
  const before = liveHandleCount();
  await makeAndDrop(20);
  assert.ok(liveHandleCount() > before);
  await collectGarbage();
  assert.equal(liveHandleCount(), before);
});

test('a collection keeps its client open', async () => {
  const collection = await EphemeralClient().createCollection({ name: 'notes' });
  await collectGarbage();
  assert.equal(await collection.count(), 0);
});

test('ten thousand calls leave no handles and no memory', async (t) => {
  const collection = await openCollection(t);
  await collection.add({
    ids: ['a', 'b'],
    embeddings: [[1, 2], [3, 4]],
    documents: ['x'.repeat(500), 'é'.repeat(500)],
    metadatas: [{ n: 1, tags: ['p', 'q'] }, { big: 2n ** 60n }],
  });
  const include = ['documents', 'embeddings', 'metadatas', 'uris'];
  const { signal } = new AbortController();
  const calls = [
    () => collection.get({ include, ids: ['a', 'b'], where: { n: { $gte: 0 } } }),
    () => collection.query({ queryEmbeddings: [[1, 2], [2, 3]], include, signal }),
    () => collection.count(),
    () => assert.rejects(collection.query({ queryEmbeddings: [[1]] })),
    () => assert.rejects(collection.get({ ids: ['a', '\ud800'] })),
  ];
  const run = async (count) => {
    for (let index = 0; index < count; index += calls.length) {
      await Promise.all(calls.map((call) => call()));
    }
    await collectGarbage();
  };
  // A leak grows in every round. The heaps of V8 and of the C library grow in the first few.
  const grown = [];
  await collectGarbage();
  const handles = liveHandleCount();
  for (let round = 0; round < 6 && !grown.some((bytes) => bytes <= 4 * MEBIBYTE); round++) {
    const before = process.memoryUsage().rss;
    await run(10_000);
    grown.push(process.memoryUsage().rss - before);
  }
  assert.equal(liveHandleCount(), handles);
  assert.ok(grown.at(-1) <= 4 * MEBIBYTE, `more bytes each round: ${grown.join(', ')}`);
});

test('workers share a directory with each other and with the main thread', async (t) => {
  const directory = temporaryDirectory(t);
  const before = liveHandleCount();
  const workers = ['a', 'b', 'c', 'd'].map((id, index) =>
    startWorker({ path: directory, id, then: index % 2 === 0 ? 'close' : 'leave' }),
  );
  for (const { exited, said } of workers) {
    assert.equal(await said, 'done');
    assert.equal(await exited, 0);
  }
  assert.equal(liveHandleCount(), before);
  const client = PersistentClient({ path: directory });
  assert.equal(await (await client.getCollection({ name: 'shared' })).count(), 2000);
  await client.close();
});

test('workers that are terminated in the middle of calls leave no handles', async (t) => {
  const directory = temporaryDirectory(t);
  const before = liveHandleCount();
  for (let round = 0; round < 8; round++) {
    const id = String(round);
    const { worker, exited, said } = startWorker({ path: directory, id, then: 'busy' });
    assert.equal(await said, 'busy');
    for (let count = 0; count < round * 10; count++) await turn();
    await worker.terminate();
    assert.equal(await exited, 1);
  }
  assert.equal(liveHandleCount(), before);
});
