import ChromaKernels
import Testing

extension Kernels {
  /// Ends the test as skipped, with the reason, where the processor lacks the instructions.
  func require() throws {
    guard isSupported else {
      let reason = "This processor has \(Kernels.processorFeatures), not what \(name) needs."
      print("skipped: \(reason)")
      try Test.cancel("\(reason)")
    }
  }
}
