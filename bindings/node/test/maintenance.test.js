// Space, speed and safety from Node.
'use strict';

const assert = require('node:assert/strict');
const fs = require('node:fs');
const path = require('node:path');
const { test } = require('node:test');

const chroma = require('..');
const { openClient, openCollection, temporaryDirectory } = require('./support/databases');

const NOT_FOUND = { constructor: chroma.ChromaNotFoundError };
const CLOSED = { code: 'CHROMA_ERROR_CLOSED' };
const DENIED = { code: 'CHROMA_ERROR_PERMISSION_DENIED' };

const records = { ids: ['a', 'b', 'c'], embeddings: [[1, 0], [0, 1], [1, 1]] };

/** The bytes of every file, by path. */
function bytesOf(directory) {
  const files = fs.readdirSync(directory, { recursive: true, withFileTypes: true });
  return new Map(
    files
      .filter((file) => file.isFile())
      .map((file) => path.join(file.parentPath ?? file.path, file.name))
      .map((file) => [file, fs.readFileSync(file, 'latin1')]),
  );
}

test('a flush brings a collection to rest, and changes no answer', async (t) => {
  const client = openClient(t);
  const collection = await client.createCollection({ name: 'notes' });
  await collection.add(records);
  await collection.delete({ ids: ['b'] });
  const before = await collection.get({ include: ['embeddings'] });
  const tail = await collection.statistics();
  assert.equal(tail.recordCount, 2);
  assert.equal(tail.position, 4);
  assert.deepEqual([tail.version, tail.logRowCount, tail.logRecordCount], [0, 2, 4]);
  assert.ok(tail.logByteCount > 0);

  assert.equal(await client.flush(), undefined);
  const flushed = await collection.statistics();
  assert.deepEqual([flushed.logRowCount, flushed.logRecordCount, flushed.logByteCount], [0, 0, 0]);
  assert.deepEqual([flushed.recordCount, flushed.segmentCount, flushed.deadRowCount], [2, 1, 0]);
  assert.ok(flushed.compactedByteCount >= flushed.segmentByteCount);

  await collection.upsert({ ids: ['c'], embeddings: [[1, 1]] });
  await collection.flush();
  await collection.compact();
  await client.compact();
  assert.equal((await collection.statistics()).deadRowCount, 0);
  assert.deepEqual(await collection.get({ include: ['embeddings'] }), before);
});

test('what was deleted is in no file after a flush', async (t) => {
  const directory = temporaryDirectory(t);
  const client = chroma.PersistentClient({ path: directory });
  const collection = await client.createCollection({ name: 'notes' });
  const marker = 'the marker of a deleted document';
  await collection.add({ ids: ['a'], embeddings: [[1]], documents: [marker] });
  const has = () => [...bytesOf(directory).values()].some((bytes) => bytes.includes(marker));
  assert.ok(has());
  await collection.delete({ ids: ['a'] });
  await client.flush();
  assert.ok(!has());
  await client.close();
});

test('a signal ends a compaction, and leaves what is there whole', async (t) => {
  const client = openClient(t);
  const collection = await client.createCollection({ name: 'notes' });
  await collection.add(records);
  const controller = new AbortController();
  controller.abort();
  const { signal } = controller;
  for (const call of [
    () => client.flush({ signal }),
    () => client.compact({ signal }),
    () => collection.flush({ signal }),
    () => collection.compact({ signal }),
    () => collection.statistics({ signal }),
  ]) {
    await assert.rejects(call, { name: 'AbortError' });
  }
  assert.equal((await collection.statistics()).version, 0);

  // While they run: however far they come, the records stay.
  const later = new AbortController();
  const calls = Array.from({ length: 8 }, () => client.compact({ signal: later.signal }));
  later.abort();
  for (const { reason } of await Promise.allSettled(calls)) {
    assert.ok(reason === undefined || reason.name === 'AbortError');
  }
  assert.deepEqual((await collection.get()).ids, ['a', 'b', 'c']);
});

test('a collection that was deleted has no statistics', async (t) => {
  const client = openClient(t);
  const collection = await client.createCollection({ name: 'notes' });
  await client.deleteCollection({ name: 'notes' });
  await assert.rejects(collection.statistics(), NOT_FOUND);
  await assert.rejects(collection.flush(), NOT_FOUND);
  await assert.rejects(collection.compact(), NOT_FOUND);
});

test('a closed client does no maintenance', async () => {
  const client = chroma.EphemeralClient({ memoryLimitBytes: 1 });
  const collection = await client.createCollection({ name: 'notes' });
  await client.close();
  await assert.rejects(client.flush(), CLOSED);
  await assert.rejects(client.compact(), CLOSED);
  await assert.rejects(collection.flush(), CLOSED);
  await assert.rejects(collection.statistics(), CLOSED);
});

test('wrong options are refused', async (t) => {
  const collection = await openCollection(t);
  const client = openClient(t);
  for (const call of [
    () => client.flush({ progress: true }),
    () => client.compact(7),
    () => collection.flush('notes'),
    () => collection.statistics({ limit: 1 }),
    () => client.flush({ signal: 7 }),
  ]) {
    await assert.rejects(call, TypeError);
  }
  for (const options of [{ path: 'x', readOnly: 1 }, { path: 'x', readOnly: null }]) {
    assert.throws(() => chroma.PersistentClient(options), /'readOnly' to be a boolean/);
  }
  for (const memoryLimitBytes of [-1, 1.5, NaN, '1', null]) {
    const expected = /memoryLimitBytes must be a non-negative integer/;
    assert.throws(() => chroma.PersistentClient({ path: 'x', memoryLimitBytes }), expected);
    assert.throws(() => chroma.EphemeralClient({ memoryLimitBytes }), expected);
  }
  assert.throws(() => chroma.EphemeralClient({ readOnly: true }), /has no option 'readOnly'/);
});

test('a read-only client reads, and changes no byte', async (t) => {
  const directory = temporaryDirectory(t);
  const writer = chroma.PersistentClient({ path: directory, memoryLimitBytes: 1 });
  await (await writer.createCollection({ name: 'notes' })).add(records);
  await writer.close();
  const before = bytesOf(directory);

  const client = chroma.PersistentClient({ path: directory, readOnly: true });
  const collection = await client.getCollection({ name: 'notes' });
  assert.deepEqual((await collection.get()).ids, ['a', 'b', 'c']);
  assert.equal((await collection.statistics()).recordCount, 3);
  for (const call of [
    () => collection.add({ ids: ['d'], embeddings: [[1, 2]] }),
    () => collection.delete({ ids: ['a'] }),
    () => client.createCollection({ name: 'more' }),
    () => client.flush(),
    () => collection.compact(),
  ]) {
    await assert.rejects(call, DENIED);
  }
  await client.close();
  assert.deepEqual(bytesOf(directory), before);

  const absent = path.join(directory, 'absent');
  const none = chroma.PersistentClient({ path: absent, readOnly: true });
  await assert.rejects(none.heartbeat(), NOT_FOUND);
  await none.close();
  assert.ok(!fs.existsSync(absent));
});
