"""A collection on disk: texts in, the nearest texts out.

pip install './python[embeddings]' and run it twice: the second time the notes are there already.
"""

import chromadb

client = chromadb.PersistentClient(path="notes")
notes = client.get_or_create_collection("notes")
notes.upsert(
    ids=["1", "2", "3"],
    documents=[
        "Water the tomatoes every other day.",
        "The train to the coast leaves at nine.",
        "Basil grows best beside the tomatoes.",
    ],
    metadatas=[{"about": "garden"}, {"about": "travel"}, {"about": "garden"}],
)

found = notes.query(
    query_texts=["What grows well together?"], n_results=2, where={"about": "garden"}
)
for document, distance in zip(found["documents"][0], found["distances"][0], strict=True):
    print(f"{distance:.3f}  {document}")
