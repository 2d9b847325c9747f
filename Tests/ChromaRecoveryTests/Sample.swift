// Small random databases, and what they should hold.

import ChromaBase
import ChromaCatalog
import ChromaEngine
import ChromaRecovery
import ChromaStorage
import ChromaTestSupport
import Testing

/// The files of a directory, by their path in it.
typealias Files = [String: [UInt8]]

/// A database directory and the models of its collections.
struct Sample {
  static let directory = "/db"
  static let dimension = 24

  var files: Files
  let models: [UUID: ModelCollection]

  /// The elements of the samples' vectors are numbers of an f16, too.
  private static let configurations: [Text?] = [
    nil, #"{"hnsw":{"space":"cosine"}}"#, #"{"hnsw":{"space":"ip"},"vector_dtype":"f16"}"#,
  ]

  /// Collections with segments have an index, where the seed isn't a multiple of three.
  ///
  /// - Parameter isKilled: Whether the last process was killed, which leaves the WAL as it is.
  init(seed: UInt64, isKilled: Bool = false) throws {
    var random = SeededRandom(seed)
    let fileSystem = MemoryFileSystem()
    let engine = try Self.open(fileSystem)
    var models: [UUID: ModelCollection] = [:]
    var ids: [UUID] = []
    for number in 0..<random.int(in: 1...3) {
      let id = try engine.createCollection(
        CollectionRequest(
          tenant: "default_tenant", database: "default_database",
          name: Text("collection-\(number)"),
          configuration: Self.configurations[(Int(seed) + number) % Self.configurations.count],
          metadata: nil, getOrCreate: false)
      ).id
      models[id] = ModelCollection()
      ids.append(id)
    }
    for _ in 0..<random.int(in: 5...25) {
      let id = ids[random.int(in: 0...ids.count - 1)]
      // Some batches are too large for their row.
      let rowCountMax = random.oneIn(6) ? 1400 : 30
      let batch = RecordBatch.random(
        dimension: Self.dimension, idCount: rowCountMax * 2, rowCountMax: rowCountMax,
        using: &random)
      try engine.write(batch, to: id)
      models[id]?.apply(batch)
      switch random.int(in: 0...9) {
      case 0: try engine.flush(id)
      case 1: try engine.compact(id)
      default: break
      }
    }
    self.models = models
    if !seed.isMultiple(of: 3) {
      try SampleIndex(
        catalog: engine.catalog,
        blobs: BlobStore(fileSystem: fileSystem, directory: "\(Self.directory)/blobs")
      ).publishAll()
    }
    if isKilled {
      files = try Self.files(of: fileSystem)
      withExtendedLifetime(engine) {}
    } else {
      files = try Self.closing(engine, fileSystem)
    }
  }

  private static func closing(
    _ engine: consuming Engine, _ fileSystem: MemoryFileSystem
  ) throws -> Files {
    engine.catalog.close()
    return try files(of: fileSystem)
  }

  static func open(_ fileSystem: any FileSystem, at directory: String = directory) throws -> Engine
  {
    try Engine(
      EngineEnvironment(
        fileSystem: fileSystem, directory: directory, clock: SystemClock(),
        random: SystemRandomSource(), isShared: true, compactionLimits: limits))
  }

  /// Little data makes several segments, some of them blobs.
  private static var limits: CompactionLimits {
    var limits = CompactionLimits()
    limits.inlineSegmentByteCountMax = 8 * 1024
    limits.logRowCountMax = 6
    limits.logByteCountMin = 16 * 1024
    limits.tailRecordCountMax = 400
    limits.tailByteCountMax = 256 * 1024
    limits.mergedSegmentByteCountMax = 1024 * 1024
    return limits
  }

  static func environment(_ fileSystem: any FileSystem) -> RecoveryEnvironment {
    RecoveryEnvironment(
      fileSystem: fileSystem, clock: SystemClock(), random: SystemRandomSource())
  }

  // MARK: Files

  static func files(
    of fileSystem: any FileSystem, in directory: String = directory
  ) throws -> Files {
    var files: Files = [:]
    for name in try fileSystem.list(directory) {
      let path = "\(directory)/\(name)"
      if try fileSystem.attributes(path)?.kind == .directory {
        for (inner, bytes) in try Self.files(of: fileSystem, in: path) {
          files["\(name)/\(inner)"] = bytes
        }
      } else {
        let file = try fileSystem.open(path, .readOnly)
        files[name] = try file.read(at: 0, byteCountMax: Int(try file.byteCount()))
        file.close()
      }
    }
    return files
  }

  /// A file system that holds the files, as after a reboot: nothing is shared any more.
  static func fileSystem(with files: Files) throws -> MemoryFileSystem {
    let fileSystem = MemoryFileSystem()
    for (name, bytes) in files where name != "chroma.db-shm" {
      let path = "\(directory)/\(name)"
      try fileSystem.createDirectories(Place.parent(of: path))
      let file = try fileSystem.open(path, .createNew)
      try file.write(bytes, at: 0)
      file.close()
    }
    return fileSystem
  }

  /// A simulated disk that holds the files durably.
  static func disk(with files: Files, seed: UInt64) throws -> SimulatedDisk {
    let disk = SimulatedDisk(seed: seed)
    for (name, bytes) in files {
      let path = "\(directory)/\(name)"
      try disk.createDirectories(Place.parent(of: path))
      let file = try disk.open(path, .createNew)
      try file.write(bytes, at: 0)
      try file.sync()
      file.close()
      try disk.syncDirectory(Place.parent(of: path))
    }
    return disk
  }

  // MARK: Answers

  /// What a collection answers.
  static func records(of id: UUID, in engine: Engine) throws -> [ModelRecord] {
    let all: Include = [.documents, .embeddings, .metadatas, .uris]
    let found = try engine.get(.everything, from: id, limit: nil, offset: 0, include: all)
    let vectors = try #require(found.embeddings)
    return found.ids.indices.map { row in
      var metadata: [Text: MetadataValue] = [:]
      for entry in found.metadatas?[row]?.entries ?? [] { metadata[entry.key] = entry.value }
      return ModelRecord(
        id: found.ids[row],
        vector: Array(vectors[row * dimension..<(row + 1) * dimension]),
        document: found.documents?[row], uri: found.uris?[row], metadata: metadata)
    }
  }

  /// What every collection answers.
  static func records(
    in fileSystem: any FileSystem, at directory: String
  ) throws -> [UUID: [ModelRecord]] {
    let engine = try open(fileSystem, at: directory)
    var all: [UUID: [ModelRecord]] = [:]
    for row in try engine.collections(
      tenant: "default_tenant", database: "default_database", limit: nil, offset: 0)
    {
      all[row.id] = try records(of: row.id, in: engine)
    }
    return all
  }

  /// Compares every collection with its model.
  static func expect(
    _ models: [UUID: ModelCollection], in fileSystem: any FileSystem,
    at directory: String = directory, _ place: String
  ) throws {
    let engine = try open(fileSystem, at: directory)
    for (id, model) in models {
      let found = try records(of: id, in: engine)
      #expect(found == model.records, "\(place)")
    }
  }
}
