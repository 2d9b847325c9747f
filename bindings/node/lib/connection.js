// An engine and its calls in flight.
//
// Invariants:
//   * `call` hands the arguments to the addon before it waits for anything: what the caller changes
//     afterwards changes nothing.
//   * The engine is closed after the last call that began before `close`; later calls are refused.
//   * Errors of the addon become classes here, in an async function, so that their stack shows who
//     called.
'use strict';

const native = require('./native');
const { ChromaError, ChromaValueError, errorOf, typeError } = require('./errors');
const { kindOf } = require('./options');

// By which a call is cancelled; 0 stands for none.
let lastIdentifier = 0;

class Connection {
  #engine;
  #calls = new Set();
  #closing;

  /**
   * @param path A directory, or null for a database in memory.
   * @param readOnly Whether nothing in the directory may be made or changed.
   * @param memoryLimitBytes Undefined for no limit.
   * @param indexingThreads Undefined for half of the cores.
   */
  constructor(path, readOnly, memoryLimitBytes, indexingThreads) {
    try {
      this.#engine = native.createEngine(path, readOnly, memoryLimitBytes, indexingThreads);
    } catch (error) {
      throw translated(error, true);
    }
  }

  /** Calls a function of the addon on the engine. */
  async call(name, signal, ...rest) {
    if (this.#closing !== undefined) {
      throw errorOf('CHROMA_ERROR_CLOSED', 'The client was closed. Create a new one.');
    }
    return callAddon(name, signal, this.#engine, rest, this.#calls);
  }

  /** Closes the engine once its calls have ended. Closing again does nothing. */
  close() {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close() {
    await Promise.allSettled(this.#calls);
    await native.close(0, this.#engine);
  }
}

/**
 * Calls a function of the addon.
 *
 * @param engine Undefined for a function that needs none.
 * @param calls A set that has the call as long as it is in flight, if given.
 */
async function callAddon(name, signal, engine, rest, calls) {
  checkSignal(signal);
  if (signal?.aborted) throw signal.reason;

  const identifier = signal === undefined ? 0 : ++lastIdentifier;
  const cancel = () => native.cancel(identifier);
  signal?.addEventListener('abort', cancel, { once: true });
  let call;
  try {
    call = native[name](identifier, engine, ...rest);
    calls?.add(call);
    return await call;
  } catch (error) {
    if (error?.code === 'CHROMA_ERROR_CANCELLED' && signal?.aborted) throw signal.reason;
    const wasRefusedHere = call === undefined;
    throw translated(error, wasRefusedHere);
  } finally {
    calls?.delete(call);
    signal?.removeEventListener('abort', cancel);
  }
}

function checkSignal(signal) {
  if (signal === undefined) return;
  // By its shape, not its class, which is another one in another realm.
  if (typeof signal?.aborted === 'boolean' && typeof signal.addEventListener === 'function') return;
  throw typeError(`Expected 'signal' to be an AbortSignal, but got ${kindOf(signal)}`);
}

/** An error of the addon as one of our classes. Others, such as a getter's own, stay. */
function translated(error, wasRefusedHere) {
  if (error instanceof ChromaError || !error?.code?.startsWith?.('CHROMA_ERROR_')) return error;
  if (error.code === 'CHROMA_ERROR_INVALID_ARGUMENT' && wasRefusedHere) {
    return new ChromaValueError(error.message);
  }
  return errorOf(error.code, error.message);
}

module.exports = { Connection, callAddon };
