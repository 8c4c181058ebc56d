# This file is part of Tryton Coop.  The COPYRIGHT file at the top level of
# this repository contains the full copyright notices and license terms.
from trytond.pool import Pool, PoolMeta

from .banked import BankedMixin


class StatementRule(metaclass=PoolMeta):
    __name__ = 'account.statement.rule'

    @classmethod
    def __setup__(cls):
        super().__setup__()
        cls.description.help += (
            "\n'subscription'\n'redemption'\n'dividend'\n'member'")


class StatementRuleLine(metaclass=PoolMeta):
    __name__ = 'account.statement.rule.line'

    def _get_party(self, origin, keywords, amount=0):
        Member = Pool().get('coop.member')
        party = super()._get_party(origin, keywords, amount=amount)
        if not party and keywords.get('member'):
            members = Member.search([
                    ('company', '=', origin.company.id),
                    ('number', '=', keywords['member']),
                    ], limit=2)
            if len(members) == 1:
                party = members[0].party
        return party

    def _get_related_to(self, origin, keywords, party=None, amount=0):
        return super()._get_related_to(
            origin, keywords, party=party, amount=amount) | {
            self._get_banked_document(
                origin, keywords, party=party, amount=amount)}

    def _get_party_from(self, related_to):
        if isinstance(related_to, BankedMixin):
            return related_to.bank_party
        return super()._get_party_from(related_to)

    def _get_account_from(self, related_to):
        if isinstance(related_to, BankedMixin):
            return related_to.bank_account
        return super()._get_account_from(related_to)

    def _get_banked_document(self, origin, keywords, party=None, amount=0):
        "Return the only document that the keywords name"
        pool = Pool()
        StatementLine = pool.get('account.statement.line')
        found = []
        for name in StatementLine.banked_documents():
            Model = pool.get(name)
            keyword = keywords.get(Model._bank_keyword)
            if not keyword or amount * Model._bank_sign <= 0:
                continue
            found.extend(Model.bank_find(origin.company, keyword, party))
        if not found and keywords.get('payment_reference') and amount > 0:
            document = StatementLine.find_requested(
                origin.company, [keywords['payment_reference']])
            if document and (not party or party in document.payers):
                found.append(document)
        if len(found) == 1:
            return found[0]
