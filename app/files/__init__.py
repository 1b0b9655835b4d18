"""Files: exports and uploads, with an entry in MongoDB and their content in GridFS or S3."""

from app.files.files import Files, StoredFile, Writer

__all__ = ["Files", "StoredFile", "Writer"]
