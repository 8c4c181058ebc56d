# This file is part of Tryton Coop.  The COPYRIGHT file at the top level of
# this repository contains the full copyright notices and license terms.
from trytond.modules.coop_commons.tests.case import CommonsTestCase
from trytond.modules.party.exceptions import EraseError
from trytond.pool import Pool
from trytond.tests.test_tryton import with_transaction


class PartyTestCase(CommonsTestCase):
    "Test parties that use the commons are replaced and erased"

    @with_transaction()
    def test_replace(self):
        "Test the use goes over to the party that takes the place"
        pool = Pool()
        Party = pool.get('party.party')
        Replace = pool.get('party.replace', type='wizard')
        with self.in_company():
            source, destination = Party.create(
                [{'name': "Guest"}, {'name': "Guest"}])
            documents = [
                self.make(name, state, member=None, party=source)
                for name, state in [
                    ('booking', 'done'), ('usage', 'confirmed')]]
            session_id, _, _ = Replace.create()
            wizard = Replace(session_id)
            wizard.ask.source = source
            wizard.ask.destination = destination
            wizard.transition_replace()
            for document in documents:
                with self.subTest(model=document.__name__):
                    values, = document.read([document.id], ['party'])
                    self.assertEqual(values['party'], destination.id)

    @with_transaction()
    def test_erase(self):
        "Test a party with an open booking is kept, its purpose erased later"
        pool = Pool()
        Erase = pool.get('party.erase', type='wizard')
        Party = pool.get('party.party')

        def erase():
            session_id, _, _ = Erase.create()
            wizard = Erase(session_id)
            wizard.ask.party = party
            wizard.transition_erase()

        with self.in_company():
            party, = Party.create([{'name': "Guest", 'active': False}])
            booking = self.make(
                'booking', 'confirmed', member=None, party=party,
                purpose="Birthday")
            with self.assertRaisesRegex(EraseError, booking.number):
                erase()
            booking.cancel([booking])
            usage = self.make(
                'usage', 'draft', member=None, party=party,
                description="Birthday")
            with self.assertRaises(EraseError):
                erase()
            usage.cancel([usage])
            series = self.make(
                'series', 'cancelled', member=None, party=party,
                purpose="Birthday")
            erase()
            for document, name in [
                    (booking, 'purpose'), (series, 'purpose'),
                    (usage, 'description')]:
                values, = document.read([document.id], [name])
                self.assertIsNone(values[name])
