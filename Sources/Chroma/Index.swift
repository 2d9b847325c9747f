// The Swift door: the index of a collection's vectors.

import ChromaBase
import ChromaEngine
import ChromaIndex

/// How a collection's vectors are indexed: a graph in which each is linked to some near ones.
/// Collections of less than some thousand vectors do without.
public struct IndexSettings: Equatable, Sendable {
  /// Links of a vector, twice as many on the lowest level. More find better and take more memory.
  public var maxNeighbors: Int
  /// How many near vectors are looked at for the links of a new one.
  public var efConstruction: Int
  /// How many near vectors a query looks at. More find better, and take longer.
  public var efSearch: Int

  public init(maxNeighbors: Int = 16, efConstruction: Int = 100, efSearch: Int = 100) {
    self.maxNeighbors = maxNeighbors
    self.efConstruction = efConstruction
    self.efSearch = efSearch
  }
}

/// How a collection stores the elements of its vectors. They are rounded when they are written;
/// distances are exact for the rounded values.
public enum VectorType: String, CaseIterable, Sendable {
  case f32
  /// 11 significant bits, magnitudes up to 65,504: half the space.
  case f16
  /// 8 significant bits, magnitudes as of `f32`: half the space.
  case bf16
  /// 255 steps between the largest element of a vector and its negative: a quarter of the space.
  case int8
}

/// How many of the operations on a collection its index knows. The records of the others are found
/// by measuring them. A collection too small for an index counts as indexed.
public struct IndexingStatus: Equatable, Sendable {
  public let indexedCount: Int64
  public let unindexedCount: Int64
  public let totalCount: Int64
  /// `indexedCount` by `totalCount`; 1 where nothing was written.
  public let progress: Double

  init(_ found: ChromaEngine.IndexingStatus) {
    indexedCount = found.indexedCount
    unindexedCount = found.unindexedCount
    totalCount = found.totalCount
    progress = found.progress
  }
}

/// How a query was answered. The same state answers it in the same way, in every process.
public struct Explanation: Equatable, Sendable {
  /// How the candidates that the index has were searched.
  public enum Strategy: Equatable, Sendable {
    /// All of them were measured.
    case exactScan
    /// All were measured by their codes, of eight bits a number, and those again that this left
    /// open. It misses nothing.
    case codeScan
    /// By way of the graph.
    case graph
    /// By way of the graph, through records that are no candidates.
    case filteredGraph
  }

  /// Of the segments; see `CollectionStatistics`.
  public let version: Int64
  /// Of the index; 0: there was none.
  public let generation: Int64
  /// How many records were ever written, changed or deleted.
  public let position: Int64
  /// Vectors that were set later are not in the index.
  public let indexedPosition: Int64
  public let recordCount: Int
  /// Records that the filters let through.
  public let candidateCount: Int
  /// Records that the index does not have.
  public let unindexedCount: Int
  /// As the collection's settings have it.
  public let efSearch: Int
  /// Nil where there was no query.
  public let strategy: Strategy?
  /// Whether the graph took too long, and a scan was made instead.
  public let hasSwitched: Bool
  /// Candidates that the index does not have, which were measured.
  public let scannedCount: Int
  /// Codes that were compared.
  public let measuredCount: Int
  /// Candidates of the index that were then measured.
  public let rerankedCount: Int
  /// How the filters were evaluated, and what that took, as a JSON object to be read by people: its
  /// members may change with any release. Nil without filters.
  public let filter: String?

  init(_ found: QueryExplanation) {
    version = found.version
    generation = found.generation
    position = found.position
    indexedPosition = found.indexedPosition
    recordCount = found.recordCount
    candidateCount = found.candidateCount
    unindexedCount = found.unindexedCount
    efSearch = found.efSearch
    let search = found.queries.first
    strategy =
      switch search?.strategy {
      case .codeScan: .codeScan
      case .graph: .graph
      case .filteredGraph: .filteredGraph
      case .exactScan: .exactScan
      case nil: nil
      }
    hasSwitched = search?.hasSwitched ?? false
    scannedCount = search?.restCount ?? 0
    measuredCount = search?.measuredCount ?? 0
    rerankedCount = search?.rerankedCount ?? 0
    filter = found.filter?.json.text.string
  }
}
