// Group commit: many threads write, one of them commits for all.
//
// A thread that wants something written queues it. If nobody is committing, it becomes the
// committer: it takes the write turn among the processes, takes everything that is queued by then,
// does it, gives the turn back and wakes the others. Appends that stand next to each other share one
// transaction, and so one sync.
//
// Invariants:
//   * What is queued is done in order, one thing at a time, inside the write turn.
//   * Every submission is answered exactly once.
//   * Whoever waits is answered before the committer settles what its commits left to do; the turn is
//     given back after that.
//   * When a committer fails to get the turn, only its own submission fails; the next one tries for
//     itself, with what is left of the time that its caller allows. Time in the queue counts: those
//     who wait for a process that does not move must not do so one after another.

import ChromaBase
import ChromaCatalog
import ChromaStorage

/// Something to do inside the write turn.
enum Submission {
  /// An append; several share a transaction.
  case append(PendingAppend)
  /// Anything else that changes the catalog, or has to look before it appends.
  case exclusive(() throws(ChromaError) -> Void)
}

/// The queue of one engine. Unchecked because all its state is guarded by `monitor`.
final class CommitQueue: @unchecked Sendable {
  /// One caller's wish and, later, its answer.
  private final class Entry {
    let submission: Submission
    var answer: Result<AppendResult?, ChromaError>?

    init(_ submission: Submission) {
      self.submission = submission
    }
  }

  private let turn: WriteTurn?
  /// Does appends in one transaction; called by one thread at a time, inside the turn.
  private let commit: ([PendingAppend]) throws(ChromaError) -> [AppendResult]
  /// Called by one thread at a time, inside the turn, after every group of commits.
  private let settle: () -> Void
  private let monitor = Monitor()
  private var queue: [Entry] = []
  private var isCommitting = false

  /// - Parameter turn: Nil where there are no other processes.
  init(
    turn: WriteTurn?, commit: @escaping ([PendingAppend]) throws(ChromaError) -> [AppendResult],
    settle: @escaping () -> Void = {}
  ) {
    self.turn = turn
    self.commit = commit
    self.settle = settle
  }

  /// Appends a batch. Blocks until it is durable or refused.
  func append(
    _ append: PendingAppend, timeoutMilliseconds: Int
  ) throws(ChromaError) -> AppendResult {
    guard let result = try submit(.append(append), timeoutMilliseconds) else {
      preconditionFailure("An append is answered with its result.")
    }
    return result
  }

  /// Does something alone inside the write turn. Blocks until it is done.
  func exclusively<R>(
    timeoutMilliseconds: Int, _ work: @escaping () throws(ChromaError) -> R
  ) throws(ChromaError) -> R {
    var outcome: R?
    let step = { () throws(ChromaError) in outcome = try work() }
    _ = try submit(.exclusive(step), timeoutMilliseconds)
    guard let outcome else { preconditionFailure("Work that did not throw has an outcome.") }
    return outcome
  }

  private func submit(
    _ submission: Submission, _ timeoutMilliseconds: Int
  ) throws(ChromaError) -> AppendResult? {
    let entry = Entry(submission)
    let deadline = turn?.deadline(afterMilliseconds: timeoutMilliseconds)
    let isCommitter = monitor.withLock {
      queue.append(entry)
      while entry.answer == nil && isCommitting { monitor.wait() }
      if entry.answer == nil { isCommitting = true }
      return entry.answer == nil
    }
    if isCommitter { commitQueued(as: entry, deadline) }
    guard let answer = entry.answer else {
      preconditionFailure("A submission is answered before its caller goes on.")
    }
    return try answer.get()
  }

  /// Commits everything queued, the committer's own entry included.
  private func commitQueued(as own: Entry, _ deadline: WriteTurn.Deadline?) {
    do throws(ChromaError) {
      if let turn, let deadline { try turn.acquire(by: deadline) }
    } catch {
      monitor.withLock {
        queue.removeAll { $0 === own }
        own.answer = .failure(error)
        isCommitting = false
        monitor.broadcast()
      }
      return
    }
    let entries = monitor.withLock {
      defer { queue = [] }
      return queue
    }
    let answers = perform(entries.map(\.submission))
    monitor.withLock {
      for (entry, answer) in zip(entries, answers) { entry.answer = answer }
      monitor.broadcast()
    }
    settle()
    turn?.release()
    monitor.withLock {
      isCommitting = false
      monitor.broadcast()
    }
  }

  private func perform(_ submissions: [Submission]) -> [Result<AppendResult?, ChromaError>] {
    var answers: [Result<AppendResult?, ChromaError>] = []
    var appends: [PendingAppend] = []
    for submission in submissions {
      switch submission {
      case .append(let append):
        appends.append(append)
      case .exclusive(let work):
        answers += commitAll(appends)
        appends = []
        do throws(ChromaError) {
          try work()
          answers.append(.success(nil))
        } catch {
          answers.append(.failure(error))
        }
      }
    }
    return answers + commitAll(appends)
  }

  private func commitAll(_ appends: [PendingAppend]) -> [Result<AppendResult?, ChromaError>] {
    if appends.isEmpty { return [] }
    do throws(ChromaError) {
      return try commit(appends).map { .success($0) }
    } catch {
      return appends.map { _ in .failure(error) }
    }
  }
}
