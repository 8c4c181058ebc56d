# This file is part of Tryton Coop.  The COPYRIGHT file at the top level of
# this repository contains the full copyright notices and license terms.
import json

from trytond.i18n import gettext
from trytond.model import fields

from .inputs import VERSION, digests, total_digest


class InputsMixin:
    "A document that is posted only as it was computed"
    __slots__ = ()

    input_hash = fields.Char("Input Hash", readonly=True,
        help="Identifies all the figures the amounts are computed from.")
    input_parts = fields.Text("Input Parts", readonly=True,
        help="Identifies the figures of each kind.")

    @classmethod
    def __setup__(cls):
        for name in ['input_hash', 'input_parts']:
            getattr(cls, name).search_unaccented = False
        super().__setup__()

    def get_inputs(self):
        "Return the value that all the rows are a function of"
        raise NotImplementedError

    def is_as_computed(self, inputs):
        "Return whether the inputs give the rows that are stored"
        raise NotImplementedError

    def set_inputs(self, inputs):
        "Remember what the rows are computed from"
        parts = digests(inputs)
        self.input_parts = json.dumps(parts)
        self.input_hash = total_digest(parts)

    def check_inputs(self, Error):
        "Refuse what is not as it was computed, and name what has changed"
        inputs = self.get_inputs()
        changed = []
        # What another version has hashed is told apart by its rows only
        if self.input_hash.startswith(f'{VERSION}-'):
            before = json.loads(self.input_parts)
            changed = [
                name for name, digest in digests(inputs).items()
                if before.get(name) != digest]
        if not changed and not self.is_as_computed(inputs):
            changed = ['rows']
        if changed:
            raise Error(gettext(
                    'coop_patronage.msg_inputs_changed',
                    record=self.rec_name,
                    changed=', '.join(
                        gettext(f'coop_patronage.msg_input_{name}')
                        for name in changed),
                    **self.__names__()))
