# This file is part of Tryton Coop.  The COPYRIGHT file at the top level of
# this repository contains the full copyright notices and license terms.
from functools import partial
from itertools import groupby

from trytond.i18n import gettext
from trytond.model import ModelView, Workflow, fields
from trytond.pool import Pool
from trytond.transaction import Transaction

from .date import format_date
from .exceptions import ExitError, HardshipWarning, NoticeError
from .exit_date import first_exit_date, year_end
from .office import offices_held


class ExitMixin:
    "Let members leave, by their notice or by an exclusion"
    __slots__ = ()

    @fields.depends(
        'state', 'company', 'category', 'admission_date', 'notice_date',
        'exit_reason', 'exit_date')
    def on_change_notice_date(self):
        if (self.state == 'member'
                and self.company
                and self.category
                and self.notice_date):
            self.exit_date = self._first_exit_date(
                self._fiscalyears(self.company, self.notice_date))

    @fields.depends(methods=['on_change_notice_date'])
    def on_change_exit_reason(self):
        self.on_change_notice_date()

    @classmethod
    def _fiscalyears(cls, company, date):
        "Return the first and last day of the fiscal years since the date"
        FiscalYear = Pool().get('account.fiscalyear')
        return [(f.start_date, f.end_date) for f in FiscalYear.search([
                    ('company', '=', company.id),
                    ('end_date', '>=', date),
                    ])]

    @fields.depends(
        'company', 'category', 'admission_date', 'notice_date', 'exit_reason')
    def _first_exit_date(self, fiscalyears, not_before=None):
        "Return the first day the member may leave on"
        Configuration = Pool().get('coop.membership.configuration')
        category = self.category
        exit_at = category.exit_at
        notice_months = category.notice_months
        minimum_months = category.minimum_months
        if self.exit_reason == 'exclusion':
            exit_at = category.exclusion_exit_at
            notice_months = minimum_months = 0
        elif self.exit_reason == 'transfer':
            exit_at = 'any_day'
            notice_months = minimum_months = 0
        elif self.exit_reason in {'death', 'dissolution'}:
            notice_months = minimum_months = 0
        if category.exit_month:
            month, fiscalyears = category.exit_month, []
        else:
            month = Configuration(1).get_multivalue(
                'year_end_month', company=self.company.id)
        return first_exit_date(
            self.notice_date, self.admission_date,
            notice_months=notice_months,
            minimum_months=minimum_months,
            exit_at=exit_at,
            year_end=partial(
                year_end, fiscalyears=fiscalyears, month=int(month)),
            not_before=not_before)

    @classmethod
    @ModelView.button
    @Workflow.transition('leaving')
    def give_notice(cls, members):
        cls.check_step('give_notice', members, error=NoticeError)
        cls._set_exit(members)

    @classmethod
    def refusals_give_notice(cls, members):
        refused = cls._refuse_exclusion(members)
        for member in members:
            if not member.exit_reason:
                refused[member] = gettext(
                    'coop_membership.msg_member_notice_reason',
                    member=member.rec_name)
        return {**cls._refuse_notice(members), **refused}

    @classmethod
    @ModelView.button
    @Workflow.transition('leaving')
    def exclude(cls, members):
        Date = Pool().get('ir.date')
        for member in members:
            if member.exit_reason != 'exclusion':
                # The date was proposed for another reason
                member.requested_exit_date = None
                member.exit_reason = 'exclusion'
            if member.state == 'leaving':
                # The decision comes after the notice
                with Transaction().set_context(company=member.company.id):
                    member.notice_date = min(Date.today(), member.exit_date)
        cls.check_step('exclude', members, error=NoticeError)
        cls._set_exit(members)

    @classmethod
    def refusals_exclude(cls, members):
        return cls._refuse_notice(members)

    @classmethod
    def _refuse_notice(cls, members):
        "Return by member the reason why the day of the notice can not be"
        refused = {}
        for member in members:
            notice_date = member.notice_date
            if not notice_date:
                continue
            start_date = member.memberships[-1].admission_date
            exit_date = member.requested_exit_date
            if notice_date < start_date:
                refused[member] = gettext(
                    'coop_membership.msg_member_notice_before_admission',
                    member=member.rec_name,
                    notice_date=format_date(notice_date),
                    admission_date=format_date(start_date))
            # A death or an exclusion may be heard of after its day
            elif (exit_date and exit_date < notice_date
                    and member.exit_reason not in {'death', 'exclusion'}):
                refused[member] = gettext(
                    'coop_membership.msg_member_notice_after_exit',
                    member=member.rec_name,
                    notice_date=format_date(notice_date),
                    exit_date=format_date(exit_date))
        return refused

    @classmethod
    def _set_exit(cls, members):
        pool = Pool()
        Date = pool.get('ir.date')
        Membership = pool.get('coop.membership')
        memberships, hardships = [], []
        for company, c_members in groupby(
                sorted(members, key=lambda m: m.company.id),
                key=lambda m: m.company):
            c_members = list(c_members)
            with Transaction().set_context(company=company.id):
                today = Date.today()
            for member in c_members:
                if not member.notice_date:
                    member.notice_date = today
            fiscalyears = cls._fiscalyears(
                company, min(m.notice_date for m in c_members))
            for member in c_members:
                membership = member.memberships[-1]
                if member.requested_exit_date:
                    exit_date = member.requested_exit_date
                    member.hardship = exit_date != member._first_exit_date(
                        fiscalyears, not_before=exit_date)
                    if member.hardship:
                        hardships.append(member)
                else:
                    exit_date = member._first_exit_date(fiscalyears)
                    if membership.end_date:
                        exit_date = min(exit_date, membership.end_date)
                if exit_date < membership.start_date:
                    raise NoticeError(gettext(
                            'coop_membership.msg_member_notice_before_start',
                            member=member.rec_name,
                            exit_date=format_date(exit_date),
                            start_date=format_date(membership.start_date)))
                member.requested_exit_date = None
                membership.end_date = exit_date
                membership.exit_reason = member.exit_reason
                memberships.append(membership)
        if hardships:
            cls._check_hardship(hardships)
        cls.save(members)
        Membership.save(memberships)

    @classmethod
    def _is_board(cls):
        "Return whether the user may decide for the board"
        pool = Pool()
        ModelData = pool.get('ir.model.data')
        User = pool.get('res.user')
        board = ModelData.get_id('coop_membership', 'group_coop_board')
        return not Transaction().user or board in User.get_groups()

    @classmethod
    def _refuse_exclusion(cls, members):
        "Let only the board exclude, and take the exclusion back"
        if cls._is_board():
            return {}
        return {
            member: gettext(
                'coop_membership.msg_member_exclusion_board',
                member=member.rec_name)
            for member in members
            if 'exclusion' in {
                member.exit_reason, member.memberships[-1].exit_reason}}

    @classmethod
    def _check_hardship(cls, members):
        "Let only the board shorten the notice"
        Warning = Pool().get('res.user.warning')
        names = ', '.join(m.rec_name for m in members[:5])
        if len(members) > 5:
            names += '...'
        if not cls._is_board():
            raise NoticeError(gettext(
                    'coop_membership.msg_member_notice_too_early',
                    members=names))
        key = Warning.format('member_hardship', members)
        if Warning.check(key):
            raise HardshipWarning(key, gettext(
                    'coop_membership.msg_member_notice_hardship',
                    members=names))

    @classmethod
    @ModelView.button
    @Workflow.transition('member')
    def withdraw_notice(cls, members):
        pool = Pool()
        Membership = pool.get('coop.membership')
        cls.check_step('withdraw_notice', members, error=NoticeError)
        memberships = []
        for member in members:
            member.notice_date = None
            member.exit_reason = None
            member.hardship = False
            membership = member.memberships[-1]
            membership.end_date = None
            membership.exit_reason = None
            memberships.append(membership)
        cls.save(members)
        Membership.save(memberships)

    @classmethod
    def refusals_withdraw_notice(cls, members):
        return cls._refuse_exclusion(members)

    @classmethod
    def exit_blockers(cls, members):
        """Return by member the reasons, as texts, which keep the file of the
        member open although the exit date is over

        Each says what to do.
        """
        pool = Pool()
        Attendance = pool.get('coop.meeting.attendance')
        blockers = {m: [] for m in members}
        parties = {(m.company, m.party): m for m in members}
        for attendance in Attendance.search([
                    ('representative', 'in',
                        list({p.id for _, p in parties})),
                    ('presence', '=', 'represented'),
                    ('meeting.state', 'in', ['convened', 'open']),
                    ]):
            key = attendance.company, attendance.representative
            if key in parties:
                blockers[parties[key]].append(gettext(
                        'coop_membership.msg_member_leave_proxy',
                        member=attendance.member.rec_name,
                        meeting=attendance.meeting.rec_name))
        for member, office in offices_held(members):
            blockers[member].append(gettext(
                    'coop_membership.msg_member_leave_office',
                    office=office.name))
        return blockers

    @classmethod
    def get_blocked_by(cls, members, name):
        leaving = [m for m in members if m.state == 'leaving']
        return {
            **dict.fromkeys(map(int, members)),
            **{m.id: '\n'.join(blockers) or None
                for m, blockers in cls.exit_blockers(leaving).items()},
            }

    @classmethod
    @ModelView.button
    @Workflow.transition('left')
    def leave(cls, members):
        cls.check_step('leave', members, error=ExitError)

    @classmethod
    def refusals_leave(cls, members):
        Date = Pool().get('ir.date')
        today = {}
        for company in {m.company for m in members}:
            with Transaction().set_context(company=company.id):
                today[company] = Date.today()
        refused = {}
        for member, blockers in cls.exit_blockers(members).items():
            exit_date = member.memberships[-1].end_date
            if not exit_date or exit_date >= today[member.company]:
                blockers = [gettext(
                        'coop_membership.msg_member_leave_date',
                        exit_date=format_date(exit_date)), *blockers]
            if blockers:
                refused[member] = gettext(
                    'coop_membership.msg_member_leave_blocked',
                    member=member.rec_name,
                    blockers='\n'.join(f'- {b}' for b in blockers))
        return refused

    @classmethod
    def leave_due(cls):
        """Let go the members whose exit date is over and nothing blocks

        Return the others with the reasons, which their forms show too.
        """
        Date = Pool().get('ir.date')
        return cls.run_step('leave', cls.search([
                    ('company', '=', Transaction().context.get('company')),
                    ('state', '=', 'leaving'),
                    ('memberships', 'where', [
                            ('exit_date', '<', Date.today())]),
                    ]))
