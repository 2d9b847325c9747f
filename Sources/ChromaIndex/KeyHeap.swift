/// A heap of keys, the least first: for more of them than a sorted pool can move about.
struct KeyHeap {
  private var keys: [UInt64] = []

  init() {
    keys.reserveCapacity(1024)
  }

  var first: UInt64? { keys.first }

  @inline(__always)
  mutating func insert(_ key: UInt64) {
    var place = keys.count
    keys.append(key)
    keys.withUnsafeMutableBufferPointer { keys in
      while place > 0 {
        let parent = (place &- 1) >> 1
        if keys[parent] <= key { break }
        keys[place] = keys[parent]
        place = parent
      }
      keys[place] = key
    }
  }

  mutating func removeFirst() {
    guard let last = keys.popLast(), !keys.isEmpty else { return }
    keys.withUnsafeMutableBufferPointer { keys in
      var place = 0
      while true {
        var child = 2 &* place &+ 1
        if child >= keys.count { break }
        if child &+ 1 < keys.count, keys[child &+ 1] < keys[child] { child &+= 1 }
        if last <= keys[child] { break }
        keys[place] = keys[child]
        place = child
      }
      keys[place] = last
    }
  }
}
