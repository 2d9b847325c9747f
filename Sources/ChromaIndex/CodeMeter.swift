// Estimated distances between nodes of a graph.

internal import ChromaKernels

/// Measures nodes against one node at a time.
struct CodeMeter: ~Copyable {
  private let kernels: Kernels
  private var rows: UnsafeMutablePointer<UnsafePointer<Int8>>
  private var products: UnsafeMutablePointer<Int32>
  private var keys: UnsafeMutablePointer<Float>
  private var capacity = 64

  init(kernels: Kernels) {
    self.kernels = kernels
    rows = .allocate(capacity: capacity)
    products = .allocate(capacity: capacity)
    keys = .allocate(capacity: capacity)
  }

  deinit {
    rows.deallocate()
    products.deallocate()
    keys.deallocate()
  }

  /// The keys of nodes, as `CodeMetric.key` has them, in the meter's memory until it measures again.
  ///
  /// - Parameter layout: of a graph that lives on.
  mutating func keys(
    of slots: [UInt32], from slot: UInt32, _ layout: Graph.Layout
  ) -> UnsafeBufferPointer<Float> {
    reserve(slots.count)
    let row = layout.codeRow(slot)
    let side = layout.side(of: row)
    for index in slots.indices { rows[index] = layout.codeRow(slots[index]) }
    kernels.dotInt8(row, dimension: layout.codeByteCount, rows, count: slots.count, into: products)
    for index in slots.indices {
      keys[index] = layout.metric.key(
        side, layout.side(of: rows[index]), product: products[index])
    }
    return UnsafeBufferPointer(start: keys, count: slots.count)
  }

  private mutating func reserve(_ count: Int) {
    guard count > capacity else { return }
    rows.deallocate()
    products.deallocate()
    keys.deallocate()
    capacity = max(count, 2 * capacity)
    rows = .allocate(capacity: capacity)
    products = .allocate(capacity: capacity)
    keys = .allocate(capacity: capacity)
  }
}
