# This file is part of Tryton Coop.  The COPYRIGHT file at the top level of
# this repository contains the full copyright notices and license terms.
from trytond.model import ModelSQL, fields
from trytond.modules.party.tests import PartyCheckReplaceMixin
from trytond.pool import Pool
from trytond.tests.test_tryton import with_transaction


class PartyTestMixin(PartyCheckReplaceMixin):
    "Test nothing is left at a party that another one replaces"

    @with_transaction()
    def test_replace_parties(self):
        "Test each party of a record is replaced"
        pool = Pool()
        Replace = pool.get('party.replace', type='wizard')
        replaced = set(Replace.fields_to_replace())
        found = {
            (name, field)
            for name, Model in pool.iterobject()
            if name.startswith('coop.') and issubclass(Model, ModelSQL)
            and not callable(Model.table_query)
            for field, definition in Model._fields.items()
            if isinstance(definition, fields.Many2One)
            and definition.model_name == 'party.party'}

        self.assertEqual(found - replaced, set())
