import Synchronization

extension IndexSearch {
  /// What an answer costs at least, in nanoseconds, before another thread is worth beginning.
  private static let threadCost = 200_000.0

  /// Answers queries 0 ..< `queryCount`, on several threads if there are enough of them for that to pay.
  ///
  /// - Parameters:
  ///   - count: how many neighbors each answer asks for, which says what it will cost.
  ///   - threadCountMax: threads to run on, the calling one included.
  ///   - answer: answers one query, on any of the threads, several at once.
  /// - Returns: the answers in the order of the queries, the same on any number of threads.
  /// - Throws: what one of the answers threw; the others that had not begun are left out.
  package func answers<Answer, Failure: Error>(
    _ queryCount: Int, count: Int, threadCountMax: Int,
    _ answer: (_ query: Int) throws(Failure) -> Answer
  ) throws(Failure) -> [Answer] {
    let queriesPerThread = max(4, Int(min(1e6, Self.threadCost / expectedCost(count: count))))
    let results = UnsafeMutableBufferPointer<Result<Answer, Failure>?>.allocate(
      capacity: queryCount)
    results.initialize(repeating: nil)
    defer {
      results.deinitialize()
      results.deallocate()
    }
    let hasFailed = Atomic<Bool>(false)
    parallelLoop(
      queryCount, threadCount: threadCountMax, itemsPerThreadMin: queriesPerThread, isUrgent: true
    ) { _, query in
      if hasFailed.load(ordering: .relaxed) { return }
      do throws(Failure) {
        results[query] = .success(try answer(query))
      } catch {
        results[query] = .failure(error)
        hasFailed.store(true, ordering: .relaxed)
      }
    }
    // First the failure: an answer that it left out may stand before it.
    for case .failure(let error)? in results { throw error }
    var answers: [Answer] = []
    answers.reserveCapacity(queryCount)
    for case .success(let answer)? in results { answers.append(answer) }
    return answers
  }
}
