# This file is part of Tryton Coop.  The COPYRIGHT file at the top level of
# this repository contains the full copyright notices and license terms.
from trytond.i18n import gettext
from trytond.model import ModelView, Workflow
from trytond.pool import Pool
from trytond.transaction import Transaction

from .exceptions import ApprovalError


class SurplusApproval:
    "Approve an appropriation after the resolution of the meeting"
    __slots__ = ()

    @classmethod
    @ModelView.button
    @Workflow.transition('approved')
    def approve(cls, surpluses):
        cls.lock(surpluses)
        for surplus in surpluses:
            surplus._check_approval()
            surplus.approved_by = Transaction().user
        cls.save(surpluses)

    def _check_approval(self):
        pool = Pool()
        Configuration = pool.get('coop.patronage.configuration')
        config = Configuration(1)
        self.check_solvency(ApprovalError)
        if not self.posting_date:
            raise ApprovalError(gettext(
                    'coop_patronage.msg_surplus_posting_date',
                    surplus=self.rec_name))
        if self.search([
                    ('company', '=', self.company.id),
                    ('fiscalyear', '=', self.fiscalyear.id),
                    ('state', 'in', ['approved', 'posted']),
                    ('id', '!=', self.id),
                    ], limit=1):
            raise ApprovalError(gettext(
                    'coop_patronage.msg_surplus_fiscalyear'))
        if (config.get_multivalue('other_approver', company=self.company.id)
                and self.prepared_by.id == Transaction().user):
            raise ApprovalError(gettext(
                    'coop_patronage.msg_surplus_other_approver',
                    surplus=self.rec_name,
                    user=self.prepared_by.rec_name))
        if config.get_multivalue(
                'resolution_required', company=self.company.id):
            self._check_resolution()
        pools = {p.line for p in self.pools}
        for line in self.lines:
            if not line.account and not line.given_fund:
                raise ApprovalError(gettext(
                        'coop_patronage.msg_surplus_line_account',
                        line=line.rec_name))
            if (line.kind == 'patronage' and line.computed_amount
                    and line not in pools):
                raise ApprovalError(gettext(
                        'coop_patronage.msg_surplus_line_pool',
                        line=line.rec_name))
        self.check_inputs(ApprovalError)

    def _check_resolution(self):
        "Check that the meeting carried the accounts and the appropriation"
        pool = Pool()
        Item = pool.get('coop.meeting.item')
        if not self.resolution:
            raise ApprovalError(gettext(
                    'coop_patronage.msg_surplus_resolution_missing',
                    surplus=self.rec_name))
        if (self.resolution.result != 'carried'
                or self.resolution.meeting.state != 'closed'
                or self.resolution.purpose != 'appropriation'
                or self.resolution.fiscalyear != self.fiscalyear):
            raise ApprovalError(gettext(
                    'coop_patronage.msg_surplus_resolution',
                    surplus=self.rec_name,
                    resolution=self.resolution.rec_name,
                    fiscalyear=self.fiscalyear.rec_name))
        if not Item.search([
                    ('meeting.company', '=', self.company.id),
                    ('meeting.state', '=', 'closed'),
                    ('purpose', '=', 'accounts'),
                    ('fiscalyear', '=', self.fiscalyear.id),
                    ('result', '=', 'carried'),
                    ], limit=1):
            raise ApprovalError(gettext(
                    'coop_patronage.msg_surplus_accounts',
                    surplus=self.rec_name,
                    fiscalyear=self.fiscalyear.rec_name))
