// A process that adds one record after another, and prints each id once its promise resolved.
//
//   writer.js DIRECTORY PREFIX COUNT ENDING
//
// ENDING: what it does afterwards. "leave": nothing, the client stays open. "exit": process.exit()
// with calls in flight. "never": it goes on adding, until it is killed.
'use strict';

const chroma = require('../..');

const [directory, prefix, count, ending] = process.argv.slice(2);

async function add(collection, index) {
  const id = `${prefix}-${index}`;
  await collection.add({
    ids: [id],
    embeddings: [[index, prefix.length]],
    documents: [`document ${id}`],
    metadatas: [{ index }],
  });
  process.stdout.write(`${id}\n`);
}

async function main() {
  const client = chroma.PersistentClient({ path: directory });
  const collection = await client.getOrCreateCollection({ name: 'shared' });
  for (let index = 0; ending === 'never' || index < Number(count); index++) {
    await add(collection, index);
  }
  if (ending === 'exit') {
    for (let index = 0; index < 8; index++) {
      collection.query({ queryEmbeddings: [[0, 0]] });
      collection.add({ ids: [`late-${index}`], embeddings: [[0, 0]] });
    }
    process.exit(0);
  }
}

main();
