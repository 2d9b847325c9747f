#!/usr/bin/env bash
# A package of a user's depends on the Swift library by version, builds and runs. SwiftPM refuses
# unsafe flags in such a dependency, so this fails as soon as one reaches the library.
set -euo pipefail

root=$(cd "$(dirname "$0")/../.." && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# The tree as it stands, committed or not, under a version of its own.
mkdir "$work/chroma" "$work/user" "$work/user/Sources"
git -C "$root" ls-files -z --cached --others --exclude-standard \
  | tar -C "$root" --null --ignore-failed-read -T - -cf - | tar -C "$work/chroma" -xf -
git -C "$work/chroma" init -q
git -C "$work/chroma" add -A
git -C "$work/chroma" -c user.name=test -c user.email=test@localhost commit -qm test
git -C "$work/chroma" tag 1.0.0

cat > "$work/user/Package.swift" <<SWIFT
// swift-tools-version: 6.2
import PackageDescription

let package = Package(
  name: "user",
  dependencies: [.package(url: "file://$work/chroma", exact: "1.0.0")],
  targets: [
    .executableTarget(
      name: "user", dependencies: [.product(name: "Chroma", package: "chroma")], path: "Sources")
  ])
SWIFT
cat > "$work/user/Sources/main.swift" <<'SWIFT'
import Chroma

let client = try await Client.inMemory()
let notes = try await client.createCollection("notes", space: .cosine)
try await notes.add([
  Record(id: "1", embedding: [1, 0], document: "Hello", metadata: ["year": 2026]),
  Record(id: "2", embedding: [0, 1], document: "World", metadata: ["year": 2025]),
])
for neighbor in try await notes.query([0.9, 0.1], where: Key("year") > 2025) {
  print(neighbor.record.id, neighbor.record.document ?? "")
}
SWIFT
output=$(cd "$work/user" && swift run --quiet --jobs 2 user)
[ "$output" = "1 Hello" ] || { echo "the user's program printed: $output"; exit 1; }
echo "1 passed, 0 failed"
