// The Swift door: records and metadata.

import ChromaBase
import ChromaEngine

/// A record, to write or as it was read. When read, what was not included is nil.
public struct Record: Equatable, Sendable {
  /// Not empty; unique in its collection.
  public var id: String
  /// Finite; the collection's dimension.
  public var embedding: [Float]?
  public var document: String?
  public var uri: String?
  /// In an update, `.removed` removes the key and keys that are not named stay.
  public var metadata: [String: MetadataValue]?

  public init(
    id: String, embedding: [Float]? = nil, document: String? = nil, uri: String? = nil,
    metadata: [String: MetadataValue]? = nil
  ) {
    self.id = id
    self.embedding = embedding
    self.document = document
    self.uri = uri
    self.metadata = metadata
  }
}

/// A record and how far it is from the query: squared Euclidean, cosine or inner-product distance,
/// as the collection's space says.
public struct Neighbor: Equatable, Sendable {
  public let record: Record
  public let distance: Float
}

/// What an insertion does where a record has one of its ids.
public enum ConflictPolicy: Sendable, CaseIterable {
  /// Leaves that record as it is.
  case ignore
  /// Stores nothing of the call.
  case error
  /// Makes that record exactly what is given. It keeps its place in the order of insertion.
  case replace

  var stored: ChromaEngine.ConflictPolicy {
    switch self {
    case .ignore: .ignore
    case .error: .error
    case .replace: .replace
    }
  }
}

/// What an insertion came to: as many records as were given, in two parts.
public struct InsertionCounts: Equatable, Sendable {
  public let addedCount: Int
  /// Those whose id existed, or stood earlier in the call; they were ignored or replaced.
  public let existingCount: Int

  init(_ counts: ChromaEngine.InsertionCounts) {
    addedCount = counts.addedCount
    existingCount = counts.existingCount
  }
}

/// A value of metadata, no array, and how many records have it.
public struct DistinctValue: Equatable, Sendable {
  public let value: MetadataValue
  public let count: Int
}

/// How distance is measured.
public enum Space: String, Sendable, CaseIterable {
  /// Σ(aᵢ − bᵢ)²
  case l2
  /// 1 − a·b / (‖a‖ ‖b‖)
  case cosine
  /// 1 − a·b
  case ip
}

/// What a read returns beside ids.
public struct Include: OptionSet, Sendable {
  public let rawValue: UInt32

  public init(rawValue: UInt32) {
    self.rawValue = rawValue
  }

  public static let documents = Include(rawValue: 1)
  public static let embeddings = Include(rawValue: 2)
  public static let metadatas = Include(rawValue: 4)
  public static let uris = Include(rawValue: 16)

  var columns: ChromaEngine.Include { ChromaEngine.Include(rawValue: rawValue) }
}

/// A metadata value. Integers and floats are different types that compare across in filters; arrays
/// are not empty.
public enum MetadataValue: Equatable, Sendable {
  case bool(Bool)
  case int(Int64)
  /// Finite.
  case float(Double)
  case string(String)
  case bools([Bool])
  case ints([Int64])
  case floats([Double])
  case strings([String])
  /// In an update or upsert: the key goes.
  case removed
}

extension MetadataValue: ExpressibleByBooleanLiteral, ExpressibleByIntegerLiteral,
  ExpressibleByFloatLiteral, ExpressibleByStringLiteral
{
  public init(booleanLiteral value: Bool) { self = .bool(value) }
  public init(integerLiteral value: Int64) { self = .int(value) }
  public init(floatLiteral value: Double) { self = .float(value) }
  public init(stringLiteral value: String) { self = .string(value) }
}

// MARK: To and from the engine

extension MetadataValue {
  /// Nil for `.removed`.
  var stored: ChromaBase.MetadataValue? {
    switch self {
    case .bool(let value): .bool(value)
    case .int(let value): .int(value)
    case .float(let value): .float(value)
    case .string(let value): .string(Text(value))
    case .bools(let values): .bools(values)
    case .ints(let values): .ints(values)
    case .floats(let values): .floats(values)
    case .strings(let values): .strings(values.map { Text($0) })
    case .removed: nil
    }
  }

  init(_ stored: ChromaBase.MetadataValue) {
    self =
      switch stored {
      case .bool(let value): .bool(value)
      case .int(let value): .int(value)
      case .float(let value): .float(value)
      case .string(let value): .string(value.string)
      case .bools(let values): .bools(values)
      case .ints(let values): .ints(values)
      case .floats(let values): .floats(values)
      case .strings(let values): .strings(values.map(\.string))
      }
  }
}

extension ChromaBase.Metadata {
  init(_ dictionary: [String: MetadataValue]) {
    self.init(dictionary.compactMap { key, value in value.stored.map { .init(Text(key), $0) } })
  }

  var dictionary: [String: MetadataValue] {
    // Keys that differ in bytes only, such as two spellings of "é", are one key of a Swift
    // dictionary: the last one stays.
    Dictionary(entries.map { ($0.key.string, MetadataValue($0.value)) }) { $1 }
  }
}

extension RecordBatch {
  init(
    _ operation: ChromaBase.Operation, _ records: [Record]
  ) throws(ChromaBase.ChromaError) {
    var dimension: Int?
    for record in records {
      guard let embedding = record.embedding else { continue }
      guard embedding.count == dimension ?? embedding.count, !embedding.isEmpty else {
        throw .invalidArgument("Inconsistent dimensions in provided embeddings")
      }
      dimension = embedding.count
    }
    let column = dimension.map { dimension in
      VectorColumn(
        dimension: dimension,
        values: records.flatMap { $0.embedding ?? Array(repeating: 0, count: dimension) },
        present: records.contains { $0.embedding == nil }
          ? records.map { $0.embedding != nil } : nil)
    }
    self.init(
      operation: operation, ids: records.map { Text($0.id) }, embeddings: column,
      documents: records.map { $0.document.map { Text($0) } },
      uris: records.map { $0.uri.map { Text($0) } },
      metadatas: records.map { record in
        record.metadata.map { dictionary in
          MetadataChange(dictionary.map { .init(Text($0.key), $0.value.stored) })
        }
      })
  }
}

extension RecordColumns {
  var records: [Record] {
    ids.indices.map { row in
      Record(
        id: ids[row].string,
        embedding: embeddings.map { Array($0[row * dimension..<(row + 1) * dimension]) },
        document: documents?[row]?.string, uri: uris?[row]?.string,
        metadata: metadatas?[row]?.dictionary)
    }
  }
}
