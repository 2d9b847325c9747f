// The clients of local databases.
//
// The directory is opened by a client's first call, off the JavaScript thread; making a client does
// no input or output.
'use strict';

const { Collection } = require('./collection');
const { Connection } = require('./connection');
const { resolved } = require('./directories');
const { ChromaValueError } = require('./errors');
const { toJSON } = require('./filters');
const options = require('./options');

const EPHEMERAL_OPTIONS = ['tenant', 'database', 'memoryLimitBytes', 'indexingThreads'];
const PERSISTENT_OPTIONS = ['path', ...EPHEMERAL_OPTIONS, 'readOnly'];
const CREATE_OPTIONS = [
  'name', 'configuration', 'metadata', 'embeddingFunction', 'schema', 'signal',
];

class Client {
  #connection;

  constructor(connection, { tenant = 'default_tenant', database = 'default_database' }) {
    this.#connection = connection;
    this.tenant = options.requireString('tenant', tenant);
    this.database = options.requireString('database', database);
  }

  /** Nanoseconds since 1970, by the engine's clock. Opens the database. */
  async heartbeat() {
    return this.#connection.call('heartbeat', undefined);
  }

  async createCollection(given) {
    return this.#create('createCollection', given, false);
  }

  async getOrCreateCollection(given) {
    return this.#create('getOrCreateCollection', given, true);
  }

  async getCollection(given) {
    const { name, embeddingFunction, signal } = options.takeOptions('getCollection', given, [
      'name', 'embeddingFunction', 'signal',
    ]);
    checkEmbeddingFunction(embeddingFunction);
    const [description] = await this.#connection.call(
      'getCollection', signal, this.tenant, this.database, options.requireString('name', name),
    );
    return new Collection(this.#connection, description);
  }

  async listCollections(given = {}) {
    const { limit = 100, offset = 0, signal } = options.takeOptions('listCollections', given, [
      'limit', 'offset', 'signal',
    ]);
    const descriptions = await this.#connection.call(
      'listCollections',
      signal,
      this.tenant,
      this.database,
      options.checkCount('limit', limit),
      options.checkCount('offset', offset),
    );
    return descriptions.map((description) => new Collection(this.#connection, description));
  }

  async deleteCollection(given) {
    const { name, signal } = options.takeOptions('deleteCollection', given, ['name', 'signal']);
    await this.#connection.call(
      'deleteCollection', signal, this.tenant, this.database, options.requireString('name', name),
    );
  }

  /**
   * Brings all collections, of all databases, to rest: what was written stands in segments and is
   * indexed, and what was deleted is in no file any more.
   */
  async flush(given = {}) {
    const { signal } = options.takeOptions('flush', given, ['signal']);
    await this.#connection.call('compact', signal, undefined, true);
  }

  /** As flush; also merges the segments of each collection into as few as possible. */
  async compact(given = {}) {
    const { signal } = options.takeOptions('compact', given, ['signal']);
    await this.#connection.call('compact', signal, undefined, false);
  }

  /** Copies the whole database into a directory as it is at one moment; again, what is new. */
  async backup(given) {
    const { path: directory, signal } = options.takeOptions('backup', given, ['path', 'signal']);
    return this.#connection.call('backup', signal, resolved('path', directory));
  }

  /** Closes the client once its calls have ended; later calls are refused. */
  async close() {
    await this.#connection.close();
  }

  async [Symbol.asyncDispose]() {
    await this.close();
  }

  async #create(method, given, getOrCreate) {
    const { name, configuration, metadata, embeddingFunction, schema, signal } =
      options.takeOptions(method, given, CREATE_OPTIONS);
    checkEmbeddingFunction(embeddingFunction);
    const [description] = await this.#connection.call(
      'createCollection',
      signal,
      this.tenant,
      this.database,
      options.requireString('name', name),
      configuration === undefined ? undefined : toJSON('configuration', configuration),
      metadata,
      getOrCreate,
      schema === undefined ? undefined : toJSON('schema', schema),
    );
    return new Collection(this.#connection, description);
  }
}

function checkEmbeddingFunction(embeddingFunction) {
  if (embeddingFunction === undefined || embeddingFunction === null) return;
  throw new ChromaValueError(
    "Embedding functions are not supported: pass 'embeddingFunction: null', and embeddings with " +
      'every record and query.',
  );
}

/** A client of a directory, which is created if missing. With or without `new`. */
function PersistentClient(given) {
  const taken = options.takeOptions('PersistentClient', given, PERSISTENT_OPTIONS);
  const { readOnly, memoryLimitBytes, indexingThreads } = taken;
  return new Client(
    new Connection(
      resolved('path', taken.path),
      options.checkFlag('readOnly', readOnly),
      options.checkCount('memoryLimitBytes', memoryLimitBytes),
      options.checkCount('indexingThreads', indexingThreads),
    ),
    taken,
  );
}

/** A client of a new database in memory, which ends with it. With or without `new`. */
function EphemeralClient(given = {}) {
  const taken = options.takeOptions('EphemeralClient', given, EPHEMERAL_OPTIONS);
  const memoryLimitBytes = options.checkCount('memoryLimitBytes', taken.memoryLimitBytes);
  const indexingThreads = options.checkCount('indexingThreads', taken.indexingThreads);
  return new Client(new Connection(null, false, memoryLimitBytes, indexingThreads), taken);
}

module.exports = { PersistentClient, EphemeralClient };
