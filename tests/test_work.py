# This file is part of Tryton Coop.  The COPYRIGHT file at the top level of
# this repository contains the full copyright notices and license terms.
import datetime as dt

from trytond.modules.company.tests import create_company, set_company
from trytond.modules.coop.tests.roles import ROLES, as_role
from trytond.modules.coop.tests.translations import EXTRAS
from trytond.modules.coop_membership.tests.database import DatabaseTestCase
from trytond.pool import Pool
from trytond.tests.test_tryton import with_transaction
from trytond.transaction import Transaction


class WorkTestCase(DatabaseTestCase):
    "Test what waits for each role"
    module = 'coop'
    extras = EXTRAS

    @with_transaction()
    def test_work(self):
        "Test what waits is shown to those who can do it"
        pool = Pool()
        Category = pool.get('coop.member.category')
        Meeting = pool.get('coop.meeting')
        Member = pool.get('coop.member')
        Open = pool.get('coop.work.open', type='wizard')
        Party = pool.get('party.party')
        Work = pool.get('coop.work')
        companies = [create_company()]
        companies.append(create_company(
                "Other", currency=companies[0].currency))
        for company in companies:
            with set_company(company):
                category, = Category.create([{
                            'name': "Users",
                            'company': company.id,
                            'exit_at': 'any_day',
                            }])
                parties = Party.create([
                        {'name': f"{company.party.name} {name}"}
                        for name in ["Applicant", "Leaver"]])
                applicant, leaver = Member.create([{
                            'company': company.id,
                            'party': party.id,
                            'category': category.id,
                            'application_date': dt.date(2024, 1, 1),
                            'admission_date': dt.date(2024, 1, 1),
                            } for party in parties])
                Member.admit([leaver])
                leaver.notice_date = dt.date(2024, 5, 31)
                leaver.exit_reason = 'resignation'
                leaver.save()
                Member.give_notice([leaver])
                meeting, = Meeting.create([{
                            'company': company.id,
                            'kind': 'ordinary',
                            'date': dt.date(2024, 4, 30),
                            }])
            admit = ('admit', applicant, dt.date(2024, 1, 1), False)
            leave = ('leave', leaver, dt.date(2024, 5, 31), True)
            hold = ('meeting', meeting, dt.date(2024, 4, 30), True)
            for role, expected in [
                    ('clerk', [hold, leave]),
                    ('director', [admit]),
                    ('accountant', []),
                    ('steward', []),
                    ]:
                login = f'{role} {company.id}'
                ROLES[login] = ROLES[role]
                with self.subTest(role=role, company=company.id), \
                        as_role(login, company):
                    works = Work.search([])
                    self.assertEqual([
                            (w.kind, w.record, w.date, w.overdue)
                            for w in works], expected)
                    self.assertEqual([w.record_name for w in works], [
                            f"{r.__names__()['model']} {r.rec_name}"
                            for _, r, *_ in expected])
                    # Whoever may not read all of the models
                    self.assertIn('record', Work.fields_get())
                    self.assertEqual(
                        Work.search([('overdue', '=', True)]),
                        [w for w in works if w.overdue])
                    self.assertEqual(
                        Work.search([('overdue', '=', False)]),
                        [w for w in works if not w.overdue])
                    for work in works:
                        session, *_ = Open.create()
                        with Transaction().set_context(
                                active_model='coop.work',
                                active_id=work.id, active_ids=[work.id]):
                            result = Open.execute(session, {}, 'open_')
                        (action, data), = result['actions']
                        self.assertEqual(
                            action['res_model'], work.record.__name__)
                        self.assertEqual(data['res_id'], work.record.id)
                del ROLES[login]

    @with_transaction()
    def test_desk(self):
        "Test the desk of the role opens, unless other actions are chosen"
        pool = Pool()
        Action = pool.get('ir.action')
        User = pool.get('res.user')
        company = create_company()
        for role, desk in [
                ('staff', None), ('clerk', "Membership"),
                ('accountant', "Accounting"), ('director', "Board"),
                ('steward', "Commons")]:
            with self.subTest(role=role), as_role(role, company):
                actions = User.get_preferences()['actions']
                self.assertEqual(
                    [Action(a).name for a in actions],
                    [desk] if desk else [])
        clerk, = User.search([('login', '=', 'clerk')])
        menu, = Action.search([
                ('type', '=', 'ir.action.act_window'),
                ('usage', '=', 'menu'),
                ], limit=1)
        clerk.actions = [menu]
        clerk.save()
        with as_role('clerk', company):
            self.assertEqual(
                User.get_preferences()['actions'], [menu.id])
