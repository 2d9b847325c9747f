/// What this is, as `chroma_version()` and the bindings say it.
package enum Release {
  /// The version of official Chroma that the API is compatible with, then ours. The tag of a release
  /// is "v" and this; a test compares the two.
  package static let version = "1.5.9+0.1.0"
}
