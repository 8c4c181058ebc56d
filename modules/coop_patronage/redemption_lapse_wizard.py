# This file is part of Tryton Coop.  The COPYRIGHT file at the top level of
# this repository contains the full copyright notices and license terms.
from trytond.model import fields
from trytond.pool import Pool, PoolMeta
from trytond.pyson import Eval


class LapseList(metaclass=PoolMeta):
    __name__ = 'coop.share.redemption.lapse.list'

    line_candidates = fields.Many2Many(
        'coop.equity.revolvement.line', None, None, "Candidates",
        readonly=True)
    lines = fields.Many2Many(
        'coop.equity.revolvement.line', None, None, "Retired Equity",
        domain=[
            ('id', 'in', Eval('line_candidates', [])),
            ],
        help="The claims for equity that was paid out, which lapse.\n"
        "Remove those that do not.")


class Lapse(metaclass=PoolMeta):
    "Let the equity lapse too that was retired and that nobody collects"
    __name__ = 'coop.share.redemption.lapse'

    def default_list(self, fields):
        Line = Pool().get('coop.equity.revolvement.line')
        values = super().default_list(fields)
        values['line_candidates'] = values['lines'] = list(map(
                int, Line.list_unclaimed(*self.start.period)))
        return values

    def transition_lapse(self):
        Line = Pool().get('coop.equity.revolvement.line')
        Line.take_back(
            Line.get_claims(self.list.lines, *self.start.period),
            self.start.date,
            lambda line: line.share_class.get_account('lapsed'),
            notice=False)
        return super().transition_lapse()
