# This file is part of Tryton Coop.  The COPYRIGHT file at the top level of
# this repository contains the full copyright notices and license terms.
from trytond.model import fields
from trytond.modules.coop_membership.document import ResultMixin, SearchMixin
from trytond.modules.currency.fields import Monetary


class EquityLineMixin(ResultMixin, SearchMixin):
    """What a run does with the equity of a member

    `_run` is the field of the run.
    """
    __slots__ = ()
    _run = None

    company = fields.Function(fields.Many2One(
            'company.company', "Company"),
        'get_of_run')
    currency = fields.Function(fields.Many2One(
            'currency.currency', "Currency"),
        'get_of_run')
    member = fields.Many2One(
        'coop.member', "Member", required=True, readonly=True,
        ondelete='RESTRICT')
    amount = Monetary(
        "Amount", currency='currency', digits='currency', readonly=True)
    account_move_line = fields.Many2One(
        'account.move.line', "Payable Line", readonly=True,
        ondelete='RESTRICT')
    share_moves = fields.One2Many(
        'coop.share.move', 'origin', "Share Moves", readonly=True)

    @classmethod
    def __setup__(cls):
        super().__setup__()
        cls.__access__.add(cls._run)

    def get_of_run(self, name):
        return getattr(getattr(self, self._run), name).id

    def get_rec_name(self, name):
        return (
            f'{getattr(self, self._run).rec_name} - {self.member.rec_name}')
