@_exported import ChromaABI
