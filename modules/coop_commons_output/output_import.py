# This file is part of Tryton Coop.  The COPYRIGHT file at the top level of
# this repository contains the full copyright notices and license terms.
from trytond.model import ModelView, fields
from trytond.modules.coop_membership.checked_wizard import CheckedWizard
from trytond.wizard import Button, StateTransition, StateView


class ImportOutputStart(ModelView):
    __name__ = 'coop.commons.output.import.start'
    __string__ = "Import Output"

    file_ = fields.Binary(
        "File", required=True,
        help="A CSV file in UTF-8 with a row for each interval: its start, "
        "the output, and a column for the consumption of each user that has "
        "the code of the share as title.\n"
        "A time without offset is meant in the time zone of the resource.")


class ImportOutput(CheckedWizard):
    __name__ = 'coop.commons.output.import'
    __string__ = "Import Output"
    start = StateView(
        'coop.commons.output.import.start',
        'coop_commons_output.output_import_start_view_form', [
            Button("Cancel", 'end', 'tryton-cancel'),
            Button("Import", 'import_', 'tryton-ok', default=True),
            ])
    import_ = StateTransition()

    def transition_import_(self):
        self.record.set_intervals(self.start.file_)
        return 'end'
