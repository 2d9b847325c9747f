// Calls run beside the event loop and beside each other; a signal ends them, and close() waits for
// them. No test measures time: a query that would take minutes is ended by what it must not block.
'use strict';

const assert = require('node:assert/strict');
const { test } = require('node:test');
const { setImmediate: turn } = require('node:timers/promises');

const { ChromaError, EphemeralClient } = require('..');
const { openClient, openCollection } = require('./support/databases');
const { seededRandom, randomVectors, idsUpTo } = require('./support/random');

const RECORD_COUNT = 20_000;
const DIMENSION = 64;
// Threads of libuv's pool, unless the environment says otherwise.
const POOL_THREAD_COUNT = Number(process.env.UV_THREADPOOL_SIZE ?? 4);

const CLOSED = { constructor: ChromaError, code: 'CHROMA_ERROR_CLOSED' };
const ABORTED = { name: 'AbortError' };

/** A collection, and queries on it that take minutes if nobody ends them. */
async function openLarge(client) {
  const random = seededRandom(1);
  const collection = await client.createCollection({ name: 'large' });
  const embeddings = randomVectors(random, RECORD_COUNT, DIMENSION);
  await collection.add({ ids: idsUpTo(RECORD_COUNT), embeddings });
  const queryEmbeddings = randomVectors(random, 50_000, DIMENSION);
  return {
    collection,
    longQuery: (signal) => collection.query({ queryEmbeddings, include: [], signal }),
  };
}

test('a hundred calls at once give a hundred answers', async (t) => {
  const collection = await openCollection(t);
  const ids = idsUpTo(100);
  await Promise.all(
    ids.map((id, index) => collection.add({ ids: [id], embeddings: [[index]], documents: [id] })),
  );
  assert.equal(await collection.count(), 100);
  const answers = await Promise.all(
    ids.map((_, index) => collection.query({ queryEmbeddings: [[index]], nResults: 1 })),
  );
  assert.deepEqual(answers.map((answer) => answer.ids[0][0]), ids);
});

test('the event loop goes on during a call, and a signal ends the call', async (t) => {
  const { longQuery } = await openLarge(openClient(t));
  const controller = new AbortController();
  const query = longQuery(controller.signal);
  // If the query held the loop, these turns would come after its result.
  for (let count = 0; count < 100; count++) await turn();
  controller.abort();
  await assert.rejects(query, ABORTED);
});

test('a signal rejects with its reason, and leaves nothing behind', async (t) => {
  const { collection, longQuery } = await openLarge(openClient(t));
  const reason = new RangeError('mine');
  const controller = new AbortController();
  const query = longQuery(controller.signal);
  controller.abort(reason);
  await assert.rejects(query, (error) => error === reason);
  await assert.rejects(collection.count({ signal: controller.signal }), (e) => e === reason);

  const quiet = new AbortController();
  assert.equal(await collection.count({ signal: quiet.signal }), RECORD_COUNT);
  quiet.abort();
  assert.equal(await collection.count(), RECORD_COUNT);
});

test('a call that waits for a thread ends without having begun', async (t) => {
  const { collection, longQuery } = await openLarge(openClient(t));
  const controllers = [];
  const begin = (call) => {
    const controller = new AbortController();
    controllers.push(controller);
    return call(controller.signal);
  };
  const running = Array.from({ length: POOL_THREAD_COUNT }, () => begin(longQuery));
  const waiting = begin((signal) => collection.delete({ where: { none: { $ne: 1 } }, signal }));
  controllers.pop().abort();
  await assert.rejects(waiting, ABORTED);
  const ended = Promise.allSettled(running);
  controllers.forEach((controller) => controller.abort());
  assert.deepEqual((await ended).map(({ reason }) => reason.name), running.map(() => 'AbortError'));
  assert.equal(await collection.count(), RECORD_COUNT);
});

test('close waits for the calls in flight and refuses later ones', async () => {
  const client = EphemeralClient();
  const { collection, longQuery } = await openLarge(client);
  const controller = new AbortController();
  const order = [];
  const query = longQuery(controller.signal).catch(() => order.push('query'));
  const write = collection.add({ ids: ['x'], embeddings: [new Float32Array(DIMENSION)] });
  const closing = client.close().then(() => order.push('close'));
  const again = client.close();
  await assert.rejects(collection.count(), CLOSED);
  await assert.rejects(client.heartbeat(), CLOSED);
  await write;
  controller.abort();
  await Promise.all([query, closing, again]);
  assert.deepEqual(order, ['query', 'close']);
  for (const call of [
    () => collection.get(),
    () => collection.query({ queryEmbeddings: [[1]] }),
    () => collection.add({ ids: ['a'], embeddings: [[1]] }),
    () => collection.delete({ ids: ['a'] }),
    () => client.createCollection({ name: 'other' }),
    () => client.listCollections(),
  ]) {
    await assert.rejects(call, CLOSED);
  }
  await client.close();
});

test('a client that made no call closes', async () => {
  const client = EphemeralClient();
  await client.close();
  await assert.rejects(client.listCollections(), CLOSED);
});

test('disposing of a client closes it', async () => {
  const client = EphemeralClient();
  await client.createCollection({ name: 'notes' });
  await client[Symbol.asyncDispose]();
  await assert.rejects(client.listCollections(), CLOSED);
});
