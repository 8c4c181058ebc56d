# This file is part of Tryton Coop.  The COPYRIGHT file at the top level of
# this repository contains the full copyright notices and license terms.
from trytond.modules.coop_membership.tests.database import DatabaseTestCase
from trytond.modules.coop_membership.tests.queries import count_queries
from trytond.pool import Pool
from trytond.tests.test_tryton import with_transaction
from trytond.transaction import Transaction


class NamesTestCase(DatabaseTestCase):
    "Test what models and fields are called"
    module = 'coop_membership'

    @with_transaction()
    def test_context(self):
        "Test names are not read again for each record somebody works on"
        Member = Pool().get('coop.member')
        names = {'model': "Member", 'field': "State"}
        queries = []
        for id_ in range(3):
            with Transaction().set_context(active_id=id_), \
                    count_queries() as counter:
                self.assertEqual(Member.__names__(field='state'), names)
            queries.append(counter['SELECT'])
        self.assertEqual(queries[1:], [0, 0])

    @with_transaction()
    def test_language(self):
        "Test names are in the language of the context"
        pool = Pool()
        Lang = pool.get('ir.lang')
        Member = pool.get('coop.member')
        Translation = pool.get('ir.translation')
        german, = Lang.search([('code', '=', 'de')])
        german.translatable = True
        german.save()
        Translation.create([{
                    'name': 'coop.member,state',
                    'type': 'field',
                    'lang': 'de',
                    'src': "State",
                    'value': "Status",
                    'res_id': -1,
                    'module': 'coop_membership',
                    'fuzzy': False,
                    }])
        for language, name in [('en', "State"), ('de', "Status")]:
            with Transaction().set_context(language=language, active_id=1):
                self.assertEqual(
                    Member.__names__(field='state')['field'], name)


del DatabaseTestCase
