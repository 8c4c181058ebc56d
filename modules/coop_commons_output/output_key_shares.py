# This file is part of Tryton Coop.  The COPYRIGHT file at the top level of
# this repository contains the full copyright notices and license terms.
from decimal import Decimal

from trytond.i18n import gettext
from trytond.model import ModelView, fields
from trytond.modules.coop_membership.apportionment import apportion
from trytond.pool import Pool, PoolMeta
from trytond.pyson import Eval

from .exceptions import OutputError

UNIT = Decimal('0.000001')


class OutputKey(metaclass=PoolMeta):
    __name__ = 'coop.commons.output.key'

    share_class = fields.Many2One(
        'coop.share.class', "Share Class", ondelete='RESTRICT',
        domain=[
            ('company', '=', Eval('company', -1)),
            ],
        states={
            'invisible': Eval('method') == 'dynamic',
            },
        help="The shares that give a right to the output.\n"
        "Leave empty to count the amount held in all classes.")
    shares_date = fields.Date(
        "Shares at",
        states={
            'invisible': Eval('method') == 'dynamic',
            },
        help="The day at whose end the shares held count.\n"
        "Leave empty for the first day of the key.")

    @classmethod
    def __setup__(cls):
        cls._steps = {**cls._steps, 'take_shares': (['draft'], None)}
        super().__setup__()
        cls._buttons['take_shares']['invisible'] |= (
            Eval('method') == 'dynamic')
        cls._buttons['take_shares']['depends'] += ['method']

    @classmethod
    @ModelView.button
    def take_shares(cls, keys):
        """Set the coefficients of the members by the shares that they hold

        Who is no member keeps his coefficient.
        """
        pool = Pool()
        Move = pool.get('coop.share.move')
        Share = pool.get('coop.commons.output.share')
        to_save, to_delete = [], []
        for key in keys:
            held = {
                member: quantity if key.share_class else amount
                for (member,), (quantity, amount) in Move.holdings_at(
                    key.company, key.shares_date or key.valid_from,
                    classes=[key.share_class] if key.share_class else None,
                    by=('member',)).items()}
            held = {member: value for member, value in held.items() if value}
            others = sum(
                (s.coefficient or 0 for s in key.shares if not s.member),
                Decimal(0))
            if not held or others >= 1:
                raise OutputError(gettext(
                        'coop_commons_output.msg_output_key_shares',
                        key=key.rec_name))
            coefficients = apportion(1 - others, held, UNIT)
            for share in key.shares:
                if not share.member:
                    continue
                if share.member.id in coefficients:
                    share.coefficient = coefficients.pop(share.member.id)
                    to_save.append(share)
                else:
                    to_delete.append(share)
            to_save.extend(
                Share(output_key=key, member=member, coefficient=coefficient)
                for member, coefficient in coefficients.items())
        Share.delete(to_delete)
        Share.save(to_save)
