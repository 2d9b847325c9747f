"""Google's embedding models, by each of the packages through which they can be reached."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

from chromadb.utils.embedding_functions._vendors import (
    VendorFunction,
    as_vectors,
    find_api_key,
    import_vendor,
    refuse_non_texts,
)

if TYPE_CHECKING:
    from chromadb.api.types import Documents, Embeddings

_VENDORS_ENV_VAR = "GOOGLE_API_KEY"


class GoogleGeminiEmbeddingFunction(VendorFunction["Documents"]):
    """Embeds texts with Gemini's models or Vertex AI. Needs the package `google-genai`."""

    _required_keys = ("model_name",)
    _optional_keys = ("api_key_env_var", "vertexai", "project", "location")
    _fixed_keys = {
        "model_name": "model name",
        "dimension": "dimension",
        "vertexai": "vertexai",
        "project": "project",
        "location": "location",
    }
    _incomplete_config = "The model name is required."

    def __init__(
        self,
        model_name: str = "gemini-embedding-001",
        task_type: str | None = None,
        dimension: int | None = None,
        api_key_env_var: str | None = "GEMINI_API_KEY",
        vertexai: bool | None = None,
        project: str | None = None,
        location: str | None = None,
    ) -> None:
        """`task_type` is what the vectors are for, such as `RETRIEVAL_DOCUMENT`; `dimension`
        shortens them.

        With `vertexai` there must be no key: `project` and `location` say whose service is used,
        and `GOOGLE_APPLICATION_CREDENTIALS` names the file of the service account.
        """
        genai = import_vendor("google.genai", "google-genai")
        self.model_name = model_name
        self.task_type = task_type
        self.dimension = dimension
        self.api_key_env_var = api_key_env_var
        self.vertexai = vertexai
        self.project = project
        self.location = location
        self.api_key = os.getenv(api_key_env_var) if api_key_env_var else None
        if self.api_key and vertexai:
            raise ValueError(
                "Vertex AI and API key are mutually exclusive in the client initializer."
            )
        if not self.api_key and not vertexai:
            raise ValueError(
                f"The {api_key_env_var} environment variable must be set if vertexai is not "
                "enabled."
            )
        self._types = import_vendor("google.genai.types", "google-genai")
        self.client = genai.Client(
            api_key=self.api_key,
            vertexai=vertexai,
            project=project,
            location=location,
            http_options=self._types.HttpOptions(headers={"x-goog-api-client": _caller()}),
        )

    def __call__(self, input: Documents) -> Embeddings:
        if not input:
            raise ValueError("Input documents cannot be empty")
        if not isinstance(input, (list, tuple)):
            raise ValueError("Input must be a list or tuple of documents")
        if not all(isinstance(document, str) for document in input):
            raise ValueError("All input documents must be strings")
        config = self._types.EmbedContentConfig(
            task_type=self.task_type, output_dimensionality=self.dimension
        )
        try:
            response = self.client.models.embed_content(
                model=self.model_name, contents=input, config=config
            )
        except Exception as error:
            raise ValueError(f"Failed to generate embeddings: {error}") from error
        embeddings = getattr(response, "embeddings", None)
        if not embeddings:
            raise ValueError("No embeddings returned from the API")
        if not all(hasattr(embedding, "values") for embedding in embeddings):
            raise ValueError("Malformed embedding response: missing 'values'")
        return as_vectors(embedding.values for embedding in embeddings)

    @staticmethod
    def name() -> str:
        return "google_gemini"

    @classmethod
    def _arguments(cls, config: Any) -> dict[str, Any]:
        arguments = super()._arguments(config)
        # None says that no key is to be looked for, and is not the default.
        if "api_key_env_var" in config:
            arguments["api_key_env_var"] = config["api_key_env_var"]
        return {**arguments, **_given(config, ("task_type", "dimension"))}

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), **_given(vars(self), ("task_type", "dimension"))}


# The function's former name.
GoogleGenaiEmbeddingFunction = GoogleGeminiEmbeddingFunction


class GoogleGenerativeAiEmbeddingFunction(VendorFunction["Documents"]):
    """Embeds texts with Gemini's models. Needs the package `google-generativeai`, which Google has
    given up for `google-genai`: see `GoogleGeminiEmbeddingFunction`.
    """

    _required_keys = ("api_key_env_var", "model_name", "task_type")
    _fixed_keys = {"model_name": "model name", "task_type": "task type", "dimension": "dimension"}

    def __init__(
        self,
        api_key: str | None = None,
        model_name: str = "gemini-embedding-001",
        task_type: str = "RETRIEVAL_DOCUMENT",
        api_key_env_var: str = "GEMINI_API_KEY",
        dimension: int | None = None,
    ) -> None:
        """`GOOGLE_API_KEY`, where it is set, counts before `api_key_env_var`. `dimension` shortens
        the vectors.
        """
        self._genai = _import_generativeai()
        self.api_key_env_var, self.api_key = find_api_key(
            api_key, api_key_env_var, _VENDORS_ENV_VAR
        )
        self.model_name = model_name
        self.task_type = task_type
        self.dimension = dimension
        _configure(self._genai, self.api_key)

    def __call__(self, input: Documents) -> Embeddings:
        refuse_non_texts(input, "Google Generative AI")
        arguments: dict[str, Any] = {"model": self.model_name, "task_type": self.task_type}
        if self.dimension is not None:
            arguments["output_dimensionality"] = self.dimension
        return as_vectors(
            self._genai.embed_content(content=text, **arguments)["embedding"] for text in input
        )

    @staticmethod
    def name() -> str:
        return "google_generative_ai"

    @classmethod
    def _arguments(cls, config: Any) -> dict[str, Any]:
        return {**super()._arguments(config), **_given(config, ("dimension",))}

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), **_given(vars(self), ("dimension",))}


class GooglePalmEmbeddingFunction(VendorFunction["Documents"]):
    """Embeds texts with PaLM's models. Needs the package `google-generativeai`."""

    def __init__(
        self,
        api_key: str | None = None,
        model_name: str = "models/embedding-gecko-001",
        api_key_env_var: str = "CHROMA_GOOGLE_PALM_API_KEY",
    ) -> None:
        """`GOOGLE_API_KEY`, where it is set, counts before `api_key_env_var`."""
        self._palm = _import_generativeai()
        self.api_key_env_var, self.api_key = find_api_key(
            api_key, api_key_env_var, _VENDORS_ENV_VAR
        )
        self.model_name = model_name
        _configure(self._palm, self.api_key)

    def __call__(self, input: Documents) -> Embeddings:
        refuse_non_texts(input, "Google PaLM")
        return as_vectors(self._embed(text)["embedding"] for text in input)

    def _embed(self, text: str) -> Any:
        # The package's later releases have only the call of Gemini's models, which also takes
        # those of PaLM.
        if hasattr(self._palm, "generate_embeddings"):
            return self._palm.generate_embeddings(model=self.model_name, text=text)
        return self._palm.embed_content(model=self.model_name, content=text)

    @staticmethod
    def name() -> str:
        return "google_palm"


class GoogleVertexEmbeddingFunction(VendorFunction["Documents"]):
    """Embeds texts with Vertex AI, as the machine's Google Cloud credentials allow.

    Needs the package `google-cloud-aiplatform`.
    """

    _required_keys = ("api_key_env_var", "model_name", "project_id", "region")
    _fixed_keys = {"model_name": "model name", "project_id": "project ID", "region": "region"}

    def __init__(
        self,
        api_key: str | None = None,
        model_name: str = "textembedding-gecko",
        project_id: str = "cloud-large-language-models",
        region: str = "us-central1",
        api_key_env_var: str = "CHROMA_GOOGLE_VERTEX_API_KEY",
    ) -> None:
        """`GOOGLE_API_KEY`, where it is set, counts before `api_key_env_var`. The service itself
        uses the credentials of the machine.
        """
        vertexai = _import_vertexai("vertexai")
        models = _import_vertexai("vertexai.language_models")
        self.api_key_env_var, self.api_key = find_api_key(
            api_key, api_key_env_var, _VENDORS_ENV_VAR
        )
        self.model_name = model_name
        self.project_id = project_id
        self.region = region
        vertexai.init(
            project=project_id,
            location=region,
            request_metadata=[("x-goog-api-client", _caller())],
        )
        self._model = models.TextEmbeddingModel.from_pretrained(model_name)

    def __call__(self, input: Documents) -> Embeddings:
        refuse_non_texts(input, "Google Vertex")
        return as_vectors(self._model.get_embeddings([text])[0].values for text in input)

    @staticmethod
    def name() -> str:
        return "google_vertex"


def _caller() -> str:
    """How requests say who makes them."""
    from chromadb import __version__

    return f"chroma/{__version__}"


def _given(values: Any, keys: tuple[str, ...]) -> dict[str, Any]:
    """The entries of `keys` that are not None: stored configurations leave the others out."""
    return {key: values[key] for key in keys if values.get(key) is not None}


def _import_generativeai() -> Any:
    return import_vendor(
        "google.generativeai", "google-generativeai", shown_name="Google Generative AI"
    )


def _import_vertexai(module: str) -> Any:
    return import_vendor(module, "google-cloud-aiplatform", shown_name="vertexai")


def _configure(generativeai: Any, api_key: str) -> None:
    # The package refuses headers among its client options, and takes the caller's name by this.
    client_info = import_vendor("google.api_core.gapic_v1.client_info", "google-api-core")
    generativeai.configure(
        api_key=api_key, client_info=client_info.ClientInfo(user_agent=_caller())
    )
