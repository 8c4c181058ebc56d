# This file is part of Tryton Coop.  The COPYRIGHT file at the top level of
# this repository contains the full copyright notices and license terms.
import datetime as dt
from io import BytesIO
from zipfile import ZipFile

from trytond.modules.company.tests import set_company
from trytond.modules.coop_membership.tests.records import create_members
from trytond.modules.coop_portal.tests.door import PortalTestCase
from trytond.pool import Pool
from trytond.tests.test_tryton import with_transaction
from trytond.transaction import Transaction, check_access

DAY = dt.date(2034, 5, 1)


class MeetingTestCase(PortalTestCase):
    "Test members read what they are called to, and answer"

    def _convene(self, cooperative, **values):
        pool = Pool()
        Attachment = pool.get('ir.attachment')
        Meeting = pool.get('coop.meeting')
        meeting, = Meeting.create([{
                    'company': cooperative.company.id,
                    'date': DAY,
                    'place': "Town Hall",
                    'proxies_per_holder': 1,
                    'items': [('create', [{
                                    'subject': "New statutes",
                                    'text': "They shall be shorter.",
                                    }])],
                    **values}])
        report, _ = Attachment.create([{
                    'name': name,
                    'resource': str(meeting),
                    'data': b'%PDF-',
                    } for name in ["report.pdf", "roll.pdf"]])
        meeting.papers = [report]
        meeting.save()
        Meeting.convene([meeting])
        return meeting

    def _attendance(self, meeting, member):
        Attendance = Pool().get('coop.meeting.attendance')
        attendance, = Attendance.search([
                ('meeting', '=', meeting.id),
                ('member', '=', member.id),
                ])
        return attendance

    @with_transaction()
    def test_meeting(self):
        "Test a proxy given here votes at the meeting, and results are read"
        pool = Pool()
        Attendance = pool.get('coop.meeting.attendance')
        Item = pool.get('coop.meeting.item')
        Meeting = pool.get('coop.meeting')
        cooperative = self.open()
        first, second = cooperative.members
        with set_company(cooperative.company):
            meeting = self._convene(cooperative)
        browser, other = (
            self.browser(cooperative, user=i) for i in range(2))
        mine = self._attendance(meeting, first)
        path = f'/meetings/{mine.id}'
        self.assertIn(path, browser.text('/meetings'))
        page = browser.text(path)
        for text in ["New statutes", "They shall be shorter", "Town Hall",
                "report.pdf"]:
            self.assertIn(text, page)
        self.assertNotIn("roll.pdf", page)
        report, = meeting.papers
        self.assertEqual(
            browser.get(f'{path}/papers/{report.id}').data, b'%PDF-')
        self.assertEqual(
            browser.get(f'{path}/papers/{report.id + 1}').status_code, 404)
        with ZipFile(BytesIO(
                    browser.get(f'{path}/convocation').data)) as letter:
            letter = letter.read('content.xml').decode()
        self.assertIn("Alpha Person 1", letter)
        self.assertNotIn("Alpha Person 2", letter)

        # Neither a number nor a name is learnt without the other
        for number, name in [
                (second.number, "Somebody"),
                ('99', second.party.name),
                (first.number, first.party.name)]:
            page = browser.post(
                path, answer='proxy', number=number, name=name)
            self.assertIn("nobody with this", page.get_data(as_text=True))
        response = browser.post(
            path, answer='proxy', number=second.number,
            name=second.party.name.lower())
        self.assertEqual(response.status_code, 302)
        self.assertEqual(
            Attendance(mine.id).proxy, second.party)
        theirs = self._attendance(meeting, second)
        page = other.text(f'/meetings/{theirs.id}')
        self.assertIn("Proxies given to you", page)
        self.assertNotIn("Alpha Person 1", page)
        # Nor is it passed on
        page = other.post(f'/meetings/{theirs.id}', answer='stays')
        self.assertIn(
            "Others have given you", page.get_data(as_text=True))
        other.post(f'/meetings/{theirs.id}', answer='comes')
        with set_company(cooperative.company):
            self.assertEqual(Meeting(meeting.id).coming, 1)

            Meeting.open([meeting])
            theirs = Attendance(theirs.id)
            theirs.presence = 'present'
            theirs.save()
            Meeting.take_proxies([Meeting(meeting.id)])

            mine = Attendance(mine.id)
            self.assertEqual(mine.presence, 'represented')
            self.assertEqual(mine.representative, second.party)
            self.assertEqual(browser.post(
                    path, form='/meetings', answer='comes').status_code, 404)
            Item.write(list(meeting.items), {'votes_for': 2})
            meeting = Meeting(meeting.id)
            meeting.minutes = "All agreed."
            meeting.save()
            Meeting.close([meeting])
        page = browser.text(path)
        for text in ["Carried", "All agreed.", "Represented"]:
            self.assertIn(text, page)

    @with_transaction()
    def test_limits(self):
        "Test a proxy is given and withdrawn within its limits"
        pool = Pool()
        Attendance = pool.get('coop.meeting.attendance')
        Member = pool.get('coop.member')
        Representative = pool.get('coop.member.representative')
        cooperative = self.open()
        first, second = cooperative.members
        with set_company(cooperative.company):
            third, = create_members(
                cooperative.company, cooperative._category, 1,
                dt.date(2024, 1, 1))
            Member.admit([third])
            Representative.create([{
                        'member': first.id,
                        'party': third.party.id,
                        'role': 'agent',
                        }])
            meeting = self._convene(cooperative)
        browser, other = (
            self.browser(cooperative, user=i) for i in range(2))
        mine, theirs, last = (
            self._attendance(meeting, m) for m in [first, second, third])
        path = f'/meetings/{mine.id}'
        third_party = {'number': third.number, 'name': third.party.name}
        # By the choice of the representative
        browser.post(path, answer=f'agent-{third.party.id}')
        self.assertEqual(Attendance(mine.id).proxy, third.party)

        page = other.post(
            f'/meetings/{theirs.id}', answer='proxy', **third_party)

        self.assertIn(
            "as many proxies as one may", page.get_data(as_text=True))
        browser.post(path, answer='comes')
        self.assertIsNone(Attendance(mine.id).proxy)
        self.assertEqual(other.post(
                f'/meetings/{theirs.id}', answer='proxy',
                **third_party).status_code, 302)
        # Nobody can give a proxy to who gives one
        page = browser.post(
            path, answer='proxy', number=second.number,
            name=second.party.name)
        self.assertIn("does not come", page.get_data(as_text=True))
        self.assertEqual(Attendance(last.id).answer, None)

    @with_transaction()
    def test_rights(self):
        "Test the portal answers for its members only"
        pool = Pool()
        Attendance = pool.get('coop.meeting.attendance')
        Meeting = pool.get('coop.meeting')
        cooperative = self.open()
        first, second = cooperative.members
        with set_company(cooperative.company):
            meeting = self._convene(cooperative)
            board, = Meeting.create([{
                        'company': cooperative.company.id,
                        'kind': 'board',
                        'date': DAY,
                        'attendances': [('create', [
                                    {'member': first.id}])],
                        }])
            Meeting.convene([board])
        secret = self._attendance(board, first)
        browser = self.browser(cooperative)
        self.assertEqual(
            browser.get(f'/meetings/{secret.id}').status_code, 404)
        theirs = self._attendance(meeting, second)
        with Transaction().set_user(cooperative.portal.user.id), \
                Transaction().set_context(
                    company=cooperative.company.id,
                    portal_user=cooperative.users[0].id,
                    portal_members=[first.id],
                    portal_parties=[first.party.id]), \
                check_access():
            self.assertEqual(
                {a.member for a in Attendance.search([])}, {first})
            self.assertEqual(Meeting.search([]), [meeting])
            with self.assertRaisesRegex(Exception, "only for themselves"):
                Attendance(theirs.id).announce('comes')


del PortalTestCase
