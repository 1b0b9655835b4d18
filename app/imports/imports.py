"""Imports: one object with all verbs, from the modules that implement them."""

import asyncio

from app.core.cursors import CursorSealer
from app.database.connections import Connections
from app.files import Files
from app.imports.applying import Applier
from app.imports.direct_uploads import DirectUploads
from app.imports.import_records import ImportRecords
from app.imports.import_views import Views
from app.imports.planning import Planner
from app.imports.reverting import Reverter
from app.imports.sheets import Sheets
from app.imports.submitting import Submitter
from app.jobs import Jobs
from app.users import Users


class Imports:
    def __init__(
        self,
        connections: Connections,
        files: Files,
        jobs: Jobs,
        users: Users,
        cursors: CursorSealer,
        *,
        downloads: asyncio.Semaphore,
    ) -> None:
        """`downloads` counts running downloads, workbooks of imports included."""
        records = ImportRecords(connections.database)
        applier = Applier(connections, records, jobs, users)
        views = Views(records, files, jobs, cursors, applier.settle)
        self.find, self.page = views.find, views.page
        self.list_all, self.delete = views.list_all, views.delete
        submitter = Submitter(connections, files, jobs)
        self.check_room, self.submit = submitter.check_room, submitter.submit
        self.receiving = submitter.receiving
        direct = DirectUploads(connections.settings, files, submitter, views)
        self.offer_upload, self.complete_upload = direct.offer, direct.complete
        self.revert = Reverter(records, views, submitter).submit
        self.plan = Planner(connections, files).plan
        self.begin, self.apply, self.carry_out = applier.begin, applier.apply, applier.carry_out
        self.begin_sheet = Sheets(views, downloads).begin
