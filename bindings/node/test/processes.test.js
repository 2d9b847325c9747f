// Several processes on one directory see each other's writes; processes that end or are killed with
// the database open lose nothing that was acknowledged.
'use strict';

const assert = require('node:assert/strict');
const { spawn } = require('node:child_process');
const { once } = require('node:events');
const path = require('node:path');
const { test } = require('node:test');

const chroma = require('..');
const { temporaryDirectory } = require('./support/databases');

/** Starts a writer. `acknowledged` grows as it prints; `enough(n)` resolves once there are n. */
function startWriter(directory, prefix, count, ending) {
  const script = path.join(__dirname, 'support', 'writer.js');
  const child = spawn(process.execPath, [script, directory, prefix, String(count), ending], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const closed = once(child, 'close');
  const acknowledged = [];
  let rest = '';
  child.stdout.setEncoding('utf8').on('data', (text) => {
    const lines = (rest + text).split('\n');
    rest = lines.pop();
    acknowledged.push(...lines);
  });
  const enough = async (wanted) => {
    while (acknowledged.length < wanted) {
      const [status] = await Promise.race([once(child.stdout, 'data'), closed]);
      assert.equal(typeof status, 'string', `the writer ended with ${status}`);
    }
  };
  return { child, closed, acknowledged, enough };
}

/** Every acknowledged record is there, whole, and found by its own vector. */
async function checkRecords(directory, acknowledged) {
  const client = chroma.PersistentClient({ path: directory });
  const collection = await client.getCollection({ name: 'shared' });
  const found = await collection.get({ include: ['documents', 'embeddings', 'metadatas'] });
  const rows = new Map(found.rows().map((row) => [row.id, row]));
  for (const id of acknowledged) {
    const row = rows.get(id);
    assert.ok(row, `${id} is missing`);
    assert.equal(row.document, `document ${id}`);
    assert.equal(`${id.split('-')[0]}-${row.metadata.index}`, id);
  }
  const near = await collection.query({
    queryEmbeddings: acknowledged.map((id) => rows.get(id).embedding), nResults: 1,
  });
  assert.deepEqual(near.ids.flat(), acknowledged, 'each is nearest to its own vector');
  await client.close();
  return found.ids;
}

test('two processes that write at once see each other', async (t) => {
  const directory = temporaryDirectory(t);
  const client = chroma.PersistentClient({ path: directory });
  const collection = await client.getOrCreateCollection({ name: 'shared' });
  const writers = ['one', 'three'].map((prefix) => startWriter(directory, prefix, 40, 'leave'));

  // What a writer has printed, this process reads at the next call.
  await writers[0].enough(5);
  const seen = [...writers[0].acknowledged];
  assert.deepEqual((await collection.get({ ids: seen })).ids.sort(), [...seen].sort());
  await collection.add({ ids: ['main-0'], embeddings: [[0.5, 0.5]] });

  for (const { closed } of writers) assert.deepEqual(await closed, [0, null]);
  assert.equal(await collection.count(), 81);
  await client.close();
  await checkRecords(directory, writers.flatMap(({ acknowledged }) => acknowledged));
});

test('a process may exit with calls in flight', async (t) => {
  const directory = temporaryDirectory(t);
  const writer = startWriter(directory, 'w', 3, 'exit');
  assert.deepEqual(await writer.closed, [0, null]);
  const ids = await checkRecords(directory, writer.acknowledged);
  assert.deepEqual(ids.slice(0, 3), ['w-0', 'w-1', 'w-2']);
});

test('what was acknowledged before a kill is there after it', async (t) => {
  const directory = temporaryDirectory(t);
  const acknowledged = [];
  for (let round = 1; round <= 5; round++) {
    const writer = startWriter(directory, 'w'.repeat(round), 0, 'never');
    await writer.enough(round * 3);
    writer.child.kill('SIGKILL');
    assert.deepEqual(await writer.closed, [null, 'SIGKILL']);
    acknowledged.push(...writer.acknowledged);
    await checkRecords(directory, acknowledged);
  }
});
