# This file is part of Tryton Coop.  The COPYRIGHT file at the top level of
# this repository contains the full copyright notices and license terms.
from trytond.i18n import gettext
from trytond.model import ModelView, Workflow
from trytond.modules.coop_membership.additional_move import get_document
from trytond.modules.coop_membership.agreement import BooksMixin, Difference
from trytond.pool import Pool, PoolMeta


class Payment(BooksMixin, metaclass=PoolMeta):
    __name__ = 'account.payment'

    @classmethod
    @ModelView.button
    @Workflow.transition('succeeded')
    def succeed(cls, payments):
        super().succeed(payments)
        # Their moves may be posted much later
        cls.collect([
                p.clearing_move for p in cls.browse(payments)
                if p.clearing_move])

    @classmethod
    def check_books(cls, company, date):
        "Name what is paid by moves that are still to be posted"
        pool = Pool()
        AdditionalMove = pool.get('coop.document.move')
        differences = super().check_books(company, date)
        payments = cls.search([
                ('company', '=', company.id),
                ('line', '!=', None),
                ('clearing_move.state', '=', 'draft'),
                ('clearing_move.date', '<=', date),
                ], order=[('id', 'ASC')])
        claims = AdditionalMove.get_claims({p.line for p in payments})
        for payment in payments:
            if payment.line in claims:
                differences.append(Difference(
                        payment.clearing_move, gettext(
                            'coop_shares.msg_books_clearing',
                            payment=payment.rec_name,
                            document=get_document(
                                claims[payment.line][0]).rec_name),
                        party=payment.party, kind='pending'))
        return differences
