"""Which embedding functions there are, by the names that collections store, and where they are.

`SUBMODULES` is the one list of classes: what else names them is derived from it. A class is
imported when it is first looked up.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, MutableMapping
from importlib import import_module
from typing import Any

# Submodule -> the names that the package shows of it.
SUBMODULES: Mapping[str, tuple[str, ...]] = {
    "amazon_bedrock_embedding_function": ("AmazonBedrockEmbeddingFunction",),
    "baseten_embedding_function": ("BasetenEmbeddingFunction",),
    "bm25_embedding_function": ("Bm25EmbeddingFunction",),
    "chroma_bm25_embedding_function": ("ChromaBm25EmbeddingFunction",),
    "chroma_cloud_qwen_embedding_function": ("ChromaCloudQwenEmbeddingFunction",),
    "chroma_cloud_splade_embedding_function": ("ChromaCloudSpladeEmbeddingFunction",),
    "chroma_langchain_embedding_function": ("ChromaLangchainEmbeddingFunction",),
    "cloudflare_workers_ai_embedding_function": ("CloudflareWorkersAIEmbeddingFunction",),
    "cohere_embedding_function": ("CohereEmbeddingFunction",),
    "fastembed_sparse_embedding_function": ("FastembedSparseEmbeddingFunction",),
    "google_embedding_function": (
        "GooglePalmEmbeddingFunction",
        "GoogleGenerativeAiEmbeddingFunction",
        "GoogleVertexEmbeddingFunction",
        "GoogleGeminiEmbeddingFunction",
        "GoogleGenaiEmbeddingFunction",
    ),
    "huggingface_embedding_function": (
        "HuggingFaceEmbeddingFunction",
        "HuggingFaceEmbeddingServer",
    ),
    "huggingface_sparse_embedding_function": ("HuggingFaceSparseEmbeddingFunction",),
    "instructor_embedding_function": ("InstructorEmbeddingFunction",),
    "jina_embedding_function": ("JinaEmbeddingFunction", "JinaQueryConfig"),
    "mistral_embedding_function": ("MistralEmbeddingFunction",),
    "morph_embedding_function": ("MorphEmbeddingFunction",),
    "nomic_embedding_function": ("NomicEmbeddingFunction", "NomicQueryConfig"),
    "ollama_embedding_function": ("OllamaEmbeddingFunction",),
    "onnx_mini_lm_l6_v2": ("ONNXMiniLM_L6_V2",),
    "open_clip_embedding_function": ("OpenCLIPEmbeddingFunction",),
    "openai_embedding_function": ("OpenAIEmbeddingFunction",),
    "perplexity_embedding_function": ("PerplexityEmbeddingFunction",),
    "roboflow_embedding_function": ("RoboflowEmbeddingFunction",),
    "sentence_transformer_embedding_function": ("SentenceTransformerEmbeddingFunction",),
    "text2vec_embedding_function": ("Text2VecEmbeddingFunction",),
    "together_ai_embedding_function": ("TogetherAIEmbeddingFunction",),
    "voyageai_embedding_function": ("VoyageAIEmbeddingFunction",),
}

# Name -> the submodule that it is in.
CLASSES: Mapping[str, str] = {
    name: submodule for submodule, names in SUBMODULES.items() for name in names
}

# Stored name -> class.
DENSE_FUNCTIONS: Mapping[str, str] = {
    "cohere": "CohereEmbeddingFunction",
    "openai": "OpenAIEmbeddingFunction",
    "huggingface": "HuggingFaceEmbeddingFunction",
    "huggingface_server": "HuggingFaceEmbeddingServer",
    "sentence_transformer": "SentenceTransformerEmbeddingFunction",
    "google_palm": "GooglePalmEmbeddingFunction",
    "google_generative_ai": "GoogleGenerativeAiEmbeddingFunction",
    "google_vertex": "GoogleVertexEmbeddingFunction",
    "google_gemini": "GoogleGeminiEmbeddingFunction",
    "google_genai": "GoogleGenaiEmbeddingFunction",
    "ollama": "OllamaEmbeddingFunction",
    "instructor": "InstructorEmbeddingFunction",
    "jina": "JinaEmbeddingFunction",
    "mistral": "MistralEmbeddingFunction",
    "morph": "MorphEmbeddingFunction",
    "nomic": "NomicEmbeddingFunction",
    "voyageai": "VoyageAIEmbeddingFunction",
    "onnx_mini_lm_l6_v2": "ONNXMiniLM_L6_V2",
    "open_clip": "OpenCLIPEmbeddingFunction",
    "roboflow": "RoboflowEmbeddingFunction",
    "text2vec": "Text2VecEmbeddingFunction",
    "amazon_bedrock": "AmazonBedrockEmbeddingFunction",
    # The one whose name() is another: collections store "langchain", which nothing can rebuild.
    "chroma_langchain": "ChromaLangchainEmbeddingFunction",
    "baseten": "BasetenEmbeddingFunction",
    "default": "DefaultEmbeddingFunction",
    "cloudflare_workers_ai": "CloudflareWorkersAIEmbeddingFunction",
    "together_ai": "TogetherAIEmbeddingFunction",
    "chroma-cloud-qwen": "ChromaCloudQwenEmbeddingFunction",
    "perplexity": "PerplexityEmbeddingFunction",
}

SPARSE_FUNCTIONS: Mapping[str, str] = {
    "huggingface_sparse": "HuggingFaceSparseEmbeddingFunction",
    "fastembed_sparse": "FastembedSparseEmbeddingFunction",
    "bm25": "Bm25EmbeddingFunction",
    "chroma-cloud-splade": "ChromaCloudSpladeEmbeddingFunction",
    "chroma_bm25": "ChromaBm25EmbeddingFunction",
}


class KnownFunctions(dict[str, Any]):
    """A dict of classes. One of the package's own is its name until somebody asks for it."""

    def __getitem__(self, name: str) -> Any:
        value = super().__getitem__(name)
        if isinstance(value, str):
            value = getattr(import_module(__package__), value)
            super().__setitem__(name, value)
        return value

    def __iter__(self) -> Iterator[str]:
        # Not dict's own method: with that, C code takes the values past __getitem__.
        return super().__iter__()

    def copy(self) -> dict[str, Any]:
        return dict(self)

    def __or__(self, other: Any) -> Any:
        return dict(self) | other

    def __ror__(self, other: Any) -> Any:
        return other | dict(self)

    __ne__ = object.__ne__


# The other ways to a value lead through __getitem__, too.
for _method in ("get", "values", "items", "pop", "popitem", "setdefault", "__eq__"):
    setattr(KnownFunctions, _method, getattr(MutableMapping, _method))
