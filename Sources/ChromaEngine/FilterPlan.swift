// Both filters of a selection as one tree, in the form in which segments answer it.
//
// Invariants:
//   * Nodes have the numbers 0, 1, 2, … in the order in which the filters name them, a node's before
//     those of its children.
//   * `all` and `any` stand in none of their own kind, and only a leaf is negated.
//   * The tree is no deeper than the filters, which `Limits.nestingDepthMax` bounds.

import ChromaBase
import ChromaQuery
import ChromaText

struct FilterPlan: Sendable {
  struct Node: Sendable {
    let number: Int
    let kind: Kind
  }

  indirect enum Kind: Sendable {
    case all([Node])
    case any([Node])
    case leaf(Leaf, isNegated: Bool)
  }

  /// One condition.
  enum Leaf: Sendable {
    case metadata(Text, Filter.Condition)
    case document(DocumentCondition)
    case uri(Filter.Condition)
  }

  /// What is asked of a document, if there is one.
  enum DocumentCondition: Sendable {
    case contains(Text)
    case matches(RegularExpression)
    /// What is asked of a value of metadata.
    case value(Filter.Condition)

    /// - Throws: `.cancelled`, also within one long document.
    func holds(
      of utf8: UnsafeBufferPointer<UInt8>, cancel: CancelToken?
    ) throws(ChromaError) -> Bool {
      switch self {
      case .contains(let text):
        text.bytes.withUnsafeBufferPointer { ChromaText.contains($0, in: utf8) }
      case .matches(let expression): try expression.matches(utf8, cancel: cancel)
      case .value(let condition):
        Text(validating: utf8).map { condition.holds(of: .string($0)) } ?? false
      }
    }
  }

  let root: Node
  let nodeCount: Int

  /// Nil without a filter.
  init?(_ filter: Filter?, _ documentFilter: DocumentFilter?) {
    var trees: [Tree] = []
    if let filter { trees.append(Tree(filter)) }
    if let documentFilter { trees.append(Tree(documentFilter)) }
    guard let first = trees.first else { return nil }
    var count = 0
    root = (trees.count == 1 ? first : .all(trees)).flattened.numbered(from: &count)
    nodeCount = count
  }
}

/// A plan without numbers.
private indirect enum Tree {
  case all([Tree])
  case any([Tree])
  case leaf(FilterPlan.Leaf, isNegated: Bool)

  init(_ filter: Filter) {
    self =
      switch filter {
      case .and(let filters): .all(filters.map(Tree.init))
      case .or(let filters): .any(filters.map(Tree.init))
      case .document(let filter): Tree(filter)
      case .field(.metadata(let key), let condition, let isNegated):
        .leaf(.metadata(key, condition), isNegated: isNegated)
      case .field(.document, let condition, let isNegated):
        .leaf(.document(.value(condition)), isNegated: isNegated)
      case .field(.uri, let condition, let isNegated):
        .leaf(.uri(condition), isNegated: isNegated)
      }
  }

  init(_ filter: DocumentFilter) {
    self =
      switch filter {
      case .and(let filters): .all(filters.map(Tree.init))
      case .or(let filters): .any(filters.map(Tree.init))
      case .contains(let text, let isNegated):
        .leaf(.document(.contains(text)), isNegated: isNegated)
      case .matches(let expression, let isNegated):
        .leaf(.document(.matches(expression)), isNegated: isNegated)
      }
  }

  /// Without connectives inside connectives of their own kind, and of one child.
  var flattened: Tree {
    switch self {
    case .all(let trees):
      let children = trees.flatMap { tree -> [Tree] in
        let flat = tree.flattened
        if case .all(let inner) = flat { return inner }
        return [flat]
      }
      return children.count == 1 ? children[0] : .all(children)
    case .any(let trees):
      let children = trees.flatMap { tree -> [Tree] in
        let flat = tree.flattened
        if case .any(let inner) = flat { return inner }
        return [flat]
      }
      return children.count == 1 ? children[0] : .any(children)
    case .leaf: return self
    }
  }

  func numbered(from count: inout Int) -> FilterPlan.Node {
    let number = count
    count += 1
    let kind: FilterPlan.Kind =
      switch self {
      case .all(let trees): .all(trees.map { $0.numbered(from: &count) })
      case .any(let trees): .any(trees.map { $0.numbered(from: &count) })
      case .leaf(let leaf, let isNegated): .leaf(leaf, isNegated: isNegated)
      }
    return FilterPlan.Node(number: number, kind: kind)
  }
}
