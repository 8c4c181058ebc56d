# This file is part of Tryton Coop.  The COPYRIGHT file at the top level of
# this repository contains the full copyright notices and license terms.
from collections import defaultdict
from decimal import Decimal

from trytond.i18n import gettext
from trytond.model import ModelView, Workflow, fields
from trytond.modules.coop_commons.exceptions import ContractError
from trytond.modules.coop_commons.slices import SLICE
from trytond.modules.coop_shares.document import lock_members
from trytond.pool import Pool, PoolMeta
from trytond.pyson import Bool, Eval
from trytond.tools import grouped_slice


class Contract(metaclass=PoolMeta):
    __name__ = 'coop.commons.contract'

    share_class = fields.Many2One(
        'coop.share.class', "Share Class", ondelete='RESTRICT',
        domain=[
            ('company', '=', Eval('company', -1)),
            ],
        states={
            'required': Bool(Eval('required_shares', 0)),
            },
        help="The class of the shares that must be held for the contract.")
    required_shares = fields.Numeric(
        "Required Shares",
        domain=['OR',
            ('required_shares', '=', None),
            ('required_shares', '>', 0),
            ],
        states={
            'required': Bool(Eval('share_class')),
            'invisible': ~Eval('share_class'),
            },
        help="The shares that the member must hold as long as the contract "
        "lasts.\n"
        "Those of several contracts add up.")

    @classmethod
    def check_required(cls, contracts):
        super().check_required(contracts)
        contracts = [c for c in contracts if c.share_class]
        members = {c.member for c in contracts}
        lock_members(members)
        refused = cls.refuse_shares(members, contracts)
        if refused:
            raise ContractError('\n'.join(refused.values()))

    @classmethod
    def refuse_shares(cls, members, contracts=()):
        """Return by member and class why too few shares are left

        For the contracts that are confirmed and those given.
        """
        pool = Pool()
        Date = pool.get('ir.date')
        Member = pool.get('coop.member')
        Redemption = pool.get('coop.share.redemption')
        ShareClass = pool.get('coop.share.class')
        ShareMove = pool.get('coop.share.move')
        if not members:
            return {}
        today = Date.today()
        found = set(contracts)
        for sub_members in grouped_slice(
                sorted({m.id for m in members}), SLICE):
            found.update(cls.search([
                        ('member', 'in', list(sub_members)),
                        ('share_class', '!=', None),
                        ('state', '=', 'confirmed'),
                        ['OR',
                            ('valid_until', '=', None),
                            ('valid_until', '>=', today),
                            ],
                        ]))
        required = defaultdict(Decimal)
        for contract in found:
            required[contract.member.id, contract.share_class.id] += (
                contract.required_shares)
        open_ = Redemption.open_quantities(members)
        held = {}
        for company in {m.company for m in members}:
            held.update(ShareMove.holdings_at(
                    company, None,
                    members=[m for m in members if m.company == company]))
        refused = {}
        for key, quantity in required.items():
            left = held.get(key, (0, 0))[0] - open_[key]
            if left < quantity:
                member, share_class = key
                refused[key] = gettext(
                    'coop.msg_contract_shares',
                    member=Member(member).rec_name,
                    share_class=ShareClass(share_class).rec_name,
                    quantity=f'{Decimal(left).normalize():f}',
                    required=f'{quantity.normalize():f}')
        return refused


class ShareRedemption(metaclass=PoolMeta):
    __name__ = 'coop.share.redemption'

    @classmethod
    def refusals_approve(cls, redemptions):
        Contract = Pool().get('coop.commons.contract')
        refused = super().refusals_approve(redemptions)
        # With the membership the contracts end too
        staying = [
            r for r in redemptions
            if r not in refused
            and r.reason not in {'exit', 'death', 'exclusion'}]
        reasons = Contract.refuse_shares({r.member for r in staying})
        for redemption in staying:
            reason = reasons.get(
                (redemption.member.id, redemption.share_class.id))
            if reason:
                refused[redemption] = reason
        return refused


class ShareTransfer(metaclass=PoolMeta):
    __name__ = 'coop.share.transfer'

    @classmethod
    @ModelView.button
    @Workflow.transition('done')
    def do(cls, transfers):
        Contract = Pool().get('coop.commons.contract')
        super().do(transfers)
        refused = Contract.refuse_shares({
                t.from_member for t in transfers
                # Who leaves by it has contracts only until then
                if t.from_member.state == 'member'})
        if refused:
            raise ContractError('\n'.join(refused.values()))
