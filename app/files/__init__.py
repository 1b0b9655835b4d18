"""Files: exports, uploads and pictures, with an entry in MongoDB and their content in GridFS or S3."""

from app.files.files import Files, Writer
from app.files.stored_file import StoredFile

__all__ = ["Files", "StoredFile", "Writer"]
