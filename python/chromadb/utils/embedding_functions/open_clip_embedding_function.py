"""OpenCLIP models, run in this process: texts and images in one space."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from chromadb.api.types import is_document, is_image
from chromadb.utils.embedding_functions._local_models import LocalFunction
from chromadb.utils.embedding_functions._vendors import as_vectors, import_pillow, import_vendor

if TYPE_CHECKING:
    from chromadb.api.types import Embeddable, Embeddings


class OpenCLIPEmbeddingFunction(LocalFunction):
    """Embeds texts and images with a model of the package `open-clip-torch`.

    Needs `torch` and `pillow`, too.
    """

    _required_keys = ("model_name", "checkpoint", "device")
    _fixed_keys = {"model_name": "model name", "checkpoint": "checkpoint"}

    def __init__(
        self,
        model_name: str = "ViT-B-32",
        checkpoint: str = "laion2b_s34b_b79k",
        device: str | None = "cpu",
    ) -> None:
        """`checkpoint` says which weights of the model are taken."""
        open_clip = import_vendor(
            "open_clip",
            "open-clip-torch",
            shown_name="open_clip",
            note=". https://github.com/mlfoundations/open_clip",
        )
        self._torch = import_vendor("torch", "torch")
        self._PILImage = import_pillow()
        self.model_name = model_name
        self.checkpoint = checkpoint
        self.device = device
        self._model, _, self._preprocess = open_clip.create_model_and_transforms(
            model_name=model_name, pretrained=checkpoint
        )
        self._model.to(device)
        self._tokenizer = open_clip.get_tokenizer(model_name=model_name)

    def __call__(self, input: Embeddable) -> Embeddings:
        return as_vectors(
            self._encode_image(item) if is_image(item) else self._encode_text(item)
            for item in input
            if is_image(item) or is_document(item)
        )

    def _encode_image(self, image: Any) -> Any:
        pixels = self._preprocess(self._PILImage.fromarray(image)).unsqueeze(0).to(self.device)
        with self._torch.no_grad():
            return _direction(self._model.encode_image(pixels))

    def _encode_text(self, text: Any) -> Any:
        with self._torch.no_grad():
            return _direction(self._model.encode_text(self._tokenizer(text).to(self.device)))

    @staticmethod
    def name() -> str:
        return "open_clip"


def _direction(features: Any) -> Any:
    """The one vector of a batch, at length 1, as an array."""
    features = features / features.norm(dim=-1, keepdim=True)
    return features.squeeze().cpu().numpy()
