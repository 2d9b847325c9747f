// swift-tools-version: 6.2
import PackageDescription

// Products: `chroma` (libchroma.so, the C ABI) and `Chroma` (the Swift library).
//
// SQLite and zstd are system libraries whose module maps name no library to link, because the two
// products link them differently: libchroma.so takes the static archives, so that it needs nothing
// on the user's machine; Swift programs take the shared ones, without flags that SwiftPM would
// refuse in a dependency.

let root = Context.packageDirectory

let systemLibraries: [LinkerSetting] = [.linkedLibrary("sqlite3"), .linkedLibrary("zstd")]

func tests(
  _ module: String, _ dependencies: [Target.Dependency] = [], exclude: [String] = []
) -> Target {
  .testTarget(
    name: "\(module)Tests",
    dependencies: [.target(name: module), "ChromaTestSupport"] + dependencies,
    exclude: exclude,
    linkerSettings: systemLibraries)
}

let package = Package(
  name: "chroma",
  products: [
    .library(name: "chroma", type: .dynamic, targets: ["ChromaShared"]),
    .library(name: "Chroma", targets: ["Chroma"]),
  ],
  targets: [
    // C: the public header, system libraries, kernels, and what Swift cannot say.
    .systemLibrary(name: "CChroma"),
    .systemLibrary(name: "CSQLite", providers: [.apt(["libsqlite3-dev"])]),
    .systemLibrary(name: "CZstd", providers: [.apt(["libzstd-dev"])]),
    .target(name: "CChromaKernels"),
    .target(name: "CChromaPlatform", dependencies: ["CSQLite"]),

    // The engine, bottom up. Imports point down only; nothing here uses Foundation.
    .target(name: "ChromaBase", dependencies: ["CChromaPlatform"]),
    .target(name: "ChromaKernels", dependencies: ["ChromaBase", "CChromaKernels"]),
    .target(name: "ChromaStorage", dependencies: ["ChromaBase", "CChromaPlatform"]),
    .target(
      name: "ChromaSQLite",
      dependencies: ["ChromaBase", "ChromaStorage", "CChromaPlatform", "CSQLite"]),
    .target(name: "ChromaCatalog", dependencies: ["ChromaBase", "ChromaStorage", "ChromaSQLite"]),
    .target(
      name: "ChromaIndex", dependencies: ["ChromaBase", "ChromaKernels", "CChromaPlatform"]),
    .target(name: "ChromaText", dependencies: ["ChromaBase", "CChromaPlatform"]),
    .target(
      name: "ChromaSegment",
      dependencies: ["ChromaBase", "ChromaKernels", "ChromaStorage", "CZstd"]),
    .target(name: "ChromaQuery", dependencies: ["ChromaBase", "ChromaText"]),
    .target(
      name: "ChromaEngine",
      dependencies: [
        "ChromaBase", "ChromaKernels", "ChromaStorage", "ChromaCatalog", "ChromaIndex",
        "ChromaSegment", "ChromaText", "ChromaQuery", "CChromaPlatform",
      ]),
    .target(
      name: "ChromaRecovery",
      dependencies: [
        "ChromaBase", "ChromaStorage", "ChromaSQLite", "ChromaCatalog", "ChromaIndex",
        "ChromaSegment",
      ]),

    // Doors.
    .target(
      name: "Chroma",
      dependencies: ["ChromaBase", "ChromaIndex", "ChromaEngine", "ChromaRecovery"],
      linkerSettings: systemLibraries),
    .target(
      name: "ChromaABI",
      dependencies: [
        "ChromaBase", "ChromaKernels", "ChromaIndex", "ChromaCatalog", "ChromaEngine",
        "ChromaRecovery", "CChroma",
      ]),
    .target(name: "COldLibc"),
    // The leaf that carries every flag of libchroma.so. Nothing may depend on it: SwiftPM hands
    // linker settings to every dependant, and refuses unsafe flags in a versioned dependency.
    .target(
      name: "ChromaShared",
      dependencies: ["ChromaABI", "COldLibc"],
      exclude: ["chroma.map"],
      linkerSettings: [
        .unsafeFlags([
          "-static-stdlib", "-Xclang-linker", "-static-libgcc",
          // The runtime leaves threads and caches behind: unloading would pull them away.
          "-Xlinker", "-z", "-Xlinker", "nodelete",
          "-Xlinker", "-soname=libchroma.so.1",
          "-Xlinker", "--version-script=\(root)/Sources/ChromaShared/chroma.map",
          "-Xlinker", "--gc-sections",
          "-Xlinker", "-l:libsqlite3.a", "-Xlinker", "-l:libzstd.a",
        ])
      ]),

    // Tests.
    .target(
      name: "ChromaTestSupport",
      dependencies: ["ChromaBase", "ChromaStorage", "ChromaIndex"],
      path: "Tests/ChromaTestSupport"),
    tests("ChromaBase", exclude: ["Fixtures"]),
    tests("ChromaKernels"),
    tests("ChromaStorage", ["ChromaSQLite", "CChromaPlatform"]),
    tests("ChromaCatalog"),
    tests("ChromaIndex", ["ChromaKernels"]),
    tests("ChromaText", exclude: ["Fixtures"]),
    tests("ChromaSegment", ["ChromaKernels", "ChromaText"]),
    tests("ChromaQuery", exclude: ["Fixtures"]),
    tests(
      "ChromaEngine",
      ["ChromaCatalog", "ChromaKernels", "ChromaQuery", "ChromaIndex", "ChromaSegment"],
      exclude: ["Fixtures"]),
    tests(
      "ChromaRecovery",
      ["ChromaCatalog", "ChromaEngine", "ChromaSQLite", "ChromaSegment", "ChromaIndex"]),
    tests("Chroma"),
    .executableTarget(
      name: "simulate",
      dependencies: [
        "ChromaBase", "ChromaStorage", "ChromaCatalog", "ChromaSegment", "ChromaEngine",
        "ChromaRecovery", "ChromaTestSupport",
      ],
      path: "Tests/Simulation",
      linkerSettings: systemLibraries),

    // Driven by Benchmarks/index.py.
    .executableTarget(
      name: "measure-index", dependencies: ["ChromaBase", "ChromaIndex"], path: "Benchmarks/Index",
      linkerSettings: systemLibraries),
  ],
  swiftLanguageModes: [.v6]
)

// An import is internal unless it says more, so that a module shows what its interface needs.
for target in package.targets where target.type == .regular {
  target.swiftSettings = [.enableUpcomingFeature("InternalImportsByDefault")]
}
