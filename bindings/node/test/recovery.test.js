// Backups come back, damage is found and mended, and what is refused leaves nothing behind.
'use strict';

const assert = require('node:assert/strict');
const { randomBytes } = require('node:crypto');
const fs = require('node:fs');
const path = require('node:path');
const { test } = require('node:test');

const chroma = require('..');
const { liveHandleCount } = require('../lib/native');
const { openClient, temporaryDirectory } = require('./support/databases');

const INVALID = { constructor: chroma.InvalidArgumentError };

/** A directory with a closed database, in it, and a segment in a file of its own. */
async function makeDatabase(t) {
  const root = temporaryDirectory(t);
  const directory = path.join(root, 'db');
  const client = chroma.PersistentClient({ path: directory });
  const collection = await client.createCollection({ name: 'notes' });
  await collection.add({
    ids: ['a', 'b'],
    embeddings: [[1, 2], [3, 4]],
    // No compressor makes them small, so that they do not stand in the catalog.
    documents: [randomBytes(50_000).toString('hex'), randomBytes(50_000).toString('hex')],
  });
  await client.flush();
  await client.close();
  return { root, directory, id: collection.id };
}

async function idsIn(directory) {
  const client = chroma.PersistentClient({ path: directory });
  const { ids } = await (await client.getCollection({ name: 'notes' })).get();
  await client.close();
  return ids;
}

/** Changes a byte of every page of the second half of the only segment. Returns its name. */
function spoilSegment(directory) {
  const blobs = path.join(directory, 'blobs');
  const [name] = fs.readdirSync(blobs).filter((file) => file.endsWith('.segment'));
  const file = path.join(blobs, name);
  const bytes = fs.readFileSync(file);
  for (let place = bytes.length >> 1; place < bytes.length; place += 4096) bytes[place] ^= 0xff;
  fs.writeFileSync(file, bytes);
  return `blobs/${name}`;
}

test('a backup is a database, is brought up to date, and comes back', async (t) => {
  const { root, directory } = await makeDatabase(t);
  const backup = path.join(root, 'backup');
  const restored = path.join(root, 'restored');
  const client = chroma.PersistentClient({ path: directory });
  const first = await client.backup({ path: backup });
  assert.equal(first.blobCount, 1);
  assert.equal(first.copiedBlobCount, 1);
  assert.ok(first.byteCount > 100_000);
  assert.equal(first.copiedByteCount, first.byteCount);

  const collection = await client.getCollection({ name: 'notes' });
  const writing = collection.add({ ids: ['c'], embeddings: [[5, 6]] });
  const meanwhile = await client.backup({ path: backup });
  assert.deepEqual([meanwhile.copiedBlobCount, meanwhile.removedBlobCount], [0, 0]);
  await writing;
  await client.backup({ path: backup });
  await client.close();

  const copy = await chroma.restore({ source: backup, target: restored });
  assert.equal(copy.copiedByteCount, copy.byteCount);
  assert.deepEqual(await idsIn(restored), ['a', 'b', 'c']);
  assert.deepEqual(await idsIn(backup), ['a', 'b', 'c']);
  await assert.rejects(chroma.restore({ source: backup, target: restored }), {
    constructor: chroma.ChromaUniqueError,
  });
});

test('damage is found, named, and taken out', async (t) => {
  const { directory, id } = await makeDatabase(t);
  assert.deepEqual(await chroma.verify({ path: directory }), []);
  const nothing = { actions: [], losses: [], savedDirectory: null };
  assert.deepEqual(await chroma.repair({ path: directory }), nothing);

  const file = spoilSegment(directory);
  const findings = await chroma.verify({ path: directory });
  const damage = findings.filter(({ severity }) => severity === 'damage');
  assert.ok(damage.length > 0);
  for (const finding of damage) {
    assert.equal(finding.file, file);
    assert.deepEqual([finding.collectionId, finding.collectionName], [id, 'notes']);
    assert.equal(finding.isRepairable, true);
    assert.equal(typeof finding.what, 'string');
    assert.ok(finding.place === null || typeof finding.place === 'string');
  }
  const client = chroma.PersistentClient({ path: directory });
  await client.heartbeat();
  await assert.rejects(chroma.repair({ path: directory }), { code: 'CHROMA_ERROR_LOCKED' });
  await client.close();

  const report = await chroma.repair({ path: directory });
  assert.ok(report.actions.length > 0);
  assert.ok(fs.existsSync(path.join(directory, report.savedDirectory)));
  for (const loss of report.losses) {
    assert.equal(typeof loss.what, 'string');
    assert.ok(loss.recordCount === null || loss.recordCount >= 0);
    assert.ok(loss.ids.every((lost) => ['a', 'b'].includes(lost)));
  }
  const left = await chroma.verify({ path: directory });
  assert.deepEqual(left.filter(({ severity }) => severity === 'damage'), []);
  assert.deepEqual((await chroma.repair({ path: directory })).actions, []);
});

test('a damaged backup is not restored', async (t) => {
  const { root, directory } = await makeDatabase(t);
  const backup = path.join(root, 'backup');
  const client = chroma.PersistentClient({ path: directory });
  await client.backup({ path: backup });
  await client.close();
  const file = spoilSegment(backup);
  const restoring = chroma.restore({ source: backup, target: path.join(root, 'new') });
  await assert.rejects(restoring, (error) => {
    assert.equal(error.code, 'CHROMA_ERROR_CORRUPTION');
    return error.message.includes(path.basename(file));
  });
});

test('what would do harm is refused', async (t) => {
  const { root, directory } = await makeDatabase(t);
  const other = path.join(root, 'other');
  fs.mkdirSync(other);
  fs.writeFileSync(path.join(other, 'letter.txt'), 'mine');
  const client = chroma.PersistentClient({ path: directory });
  for (const target of [directory, path.join(directory, 'inside'), other]) {
    await assert.rejects(client.backup({ path: target }), INVALID);
  }
  await client.close();
  assert.deepEqual(fs.readdirSync(other), ['letter.txt']);
  const absent = path.join(root, 'absent');
  await assert.rejects(openClient(t).backup({ path: absent }), INVALID);
  await assert.rejects(client.backup({ path: absent }), { code: 'CHROMA_ERROR_CLOSED' });
  await assert.rejects(chroma.restore({ source: absent, target: other }), INVALID);
  await assert.rejects(chroma.verify({ path: absent }), { code: 'CHROMA_ERROR_NOT_FOUND' });
  await assert.rejects(chroma.repair({ path: absent }), { code: 'CHROMA_ERROR_NOT_FOUND' });
  assert.ok(!fs.existsSync(absent));
});

test('a signal ends a call on directories', async (t) => {
  const { root, directory } = await makeDatabase(t);
  const client = chroma.PersistentClient({ path: directory });
  await client.heartbeat();
  const before = liveHandleCount();
  for (const call of [
    (signal) => client.backup({ path: path.join(root, 'backup'), signal }),
    (signal) => chroma.verify({ path: directory, signal }),
  ]) {
    await assert.rejects(call(AbortSignal.abort()), { name: 'AbortError' });
    const controller = new AbortController();
    const calls = Array.from({ length: 8 }, () => call(controller.signal));
    controller.abort();
    for (const { status, reason } of await Promise.allSettled(calls)) {
      const isExpected = reason?.name === 'AbortError' || reason?.code === 'CHROMA_ERROR_LOCKED';
      assert.ok(status === 'fulfilled' || isExpected, String(reason));
    }
  }
  await client.backup({ path: path.join(root, 'backup') });
  assert.equal(liveHandleCount(), before);
  await client.close();
});

test('wrong options are refused', async (t) => {
  const client = openClient(t);
  for (const call of [
    () => client.backup(),
    () => client.backup('backup'),
    () => client.backup({}),
    () => client.backup({ path: '' }),
    () => client.backup({ path: 7 }),
    () => client.backup({ path: 'x', target: 'y' }),
    () => chroma.verify('db'),
    () => chroma.verify({ path: null }),
    () => chroma.verify({ path: 'x', signal: 7 }),
    () => chroma.repair({ path: ['x'] }),
    () => chroma.repair({ directory: 'x' }),
    () => chroma.restore({ source: 'x' }),
    () => chroma.restore({ source: '', target: 'x' }),
    () => chroma.restore({ target: 'x' }),
  ]) {
    await assert.rejects(call, TypeError);
  }
  const half = { path: 'x\ud800' };
  await assert.rejects(chroma.verify(half), { constructor: chroma.ChromaValueError });
  await assert.rejects(chroma.verify({ path: 'a\0b' }), INVALID);
});
