# This file is part of Tryton Coop.  The COPYRIGHT file at the top level of
# this repository contains the full copyright notices and license terms.
from collections import defaultdict

from trytond.model import fields
from trytond.modules.coop_membership.books import SLICE
from trytond.modules.coop_membership.claim import open_lines, what_pays
from trytond.pool import Pool
from trytond.pyson import Bool, Eval, If
from trytond.tools import grouped_slice
from trytond.transaction import Transaction

from .instalment import complete_sets


class BankedMixin:
    """A document that lines of bank statements pay

    It is chosen as what a line is related to, or found by a rule.
    """
    __slots__ = ()
    # The group of the rules that holds its name
    _bank_keyword = None
    # Whether the money comes or goes
    _bank_sign = 1
    # The paths of its company and of who pays or is paid
    _bank_company = 'company'
    _bank_party = 'member.party'
    # The path of what a rule names it by, before its record name, which
    # others may be found by too
    _bank_name = None

    payers = fields.Function(fields.Many2Many(
            'party.party', None, None, "Payers",
            help="Who pays or is paid: the member, and to whom something "
            "open of it was delegated."),
        'get_payers', searcher='search_payers')

    @classmethod
    def __setup__(cls):
        super().__setup__()
        if hasattr(cls, 'company'):
            cls.payers.context = {'company': Eval('company', -1)}
            cls.payers.depends = {'company'}

    @classmethod
    def bank_open_domain(cls):
        "Return the domain of what is open"
        raise NotImplementedError

    @classmethod
    def bank_return_domain(cls):
        "Return the domain of what the bank may give back"
        return cls.bank_open_domain()

    @classmethod
    def bank_domain(cls):
        "Return the domain of what a statement line may be related to"
        return [
            (cls._bank_company, '=', Eval('company', -1)),
            If(Bool(Eval('party')),
                ('payers', '=', Eval('party', -1)),
                ()),
            If(Eval('statement_state') == 'draft',
                If(Eval('amount', 0) < 0 if cls._bank_sign > 0
                    else Eval('amount', 0) > 0,
                    cls.bank_return_domain(),
                    cls.bank_open_domain()),
                ()),
            ]

    @classmethod
    def bank_find(cls, company, name, party=None):
        "Return what is open of the name, and of the party if any, at most two"
        domain = [
            (cls._bank_company, '=', company.id),
            cls.bank_open_domain(),
            ]
        if party:
            domain.append(('payers', '=', party.id))
        for path in filter(None, [cls._bank_name, 'rec_name']):
            found = []
            for documents in grouped_slice(
                    cls.search([domain, (path, '=', name)]), SLICE):
                # What is paid may come before what is open
                found.extend(cls.bank_open(list(documents)))
                if len(found) > 1:
                    break
            if found:
                return found[:2]
        return []

    @classmethod
    def bank_open(cls, documents):
        "Return those of the documents of which something is to be paid"
        open_ = cls.bank_open_lines(documents)
        return [d for d in documents if open_[d]]

    @classmethod
    def get_payers(cls, documents, name):
        open_ = cls.bank_open_lines(documents)
        return {
            d.id: [p.id for p in dict.fromkeys([
                        d._bank_member_party, *(l.party for l in open_[d])])]
            for d in documents}

    @classmethod
    def search_payers(cls, name, clause):
        AdditionalMove = Pool().get('coop.document.move')
        _, sep, rest = clause[0].partition('.')
        operator = clause[1]
        negative = operator == '!=' or operator.startswith('not ')
        delegated = [
            ('document', 'like', cls.__name__ + ',%'),
            ('line.reconciliation', '=', None),
            ('line.party' + sep + rest,
                '=' if operator == '!=' else operator.removeprefix('not '),
                *clause[2:]),
            ]
        ids = {r.document.id for r in AdditionalMove.search(delegated)}
        return ['AND' if negative else 'OR',
            (cls._bank_party + sep + rest, *clause[1:]),
            ('id', 'not in' if negative else 'in', list(ids)),
            ]

    @property
    def _bank_member_party(self):
        record = self
        for name in self._bank_party.split('.'):
            record = getattr(record, name)
        return record

    @property
    def bank_party(self):
        "Who pays or is paid what is due first"
        for line in self.bank_open_lines([self])[self]:
            return line.party
        return self._bank_member_party

    @property
    def bank_account(self):
        "The account of what is open, if any"
        for line in (self.bank_open_lines([self])[self]
                or self.bank_claims([self])[self]):
            return line.account

    @classmethod
    def bank_open_lines(cls, documents):
        "Return by document the lines in which something of it is open"
        claims = cls.bank_claims(documents)
        open_ = open_lines({c for d_claims in claims.values()
                for c in d_claims})
        # A line may stand for several of its claims
        return {
            d: list(dict.fromkeys(l for c in claims[d] for l in open_[c]))
            for d in documents}

    @classmethod
    def bank_claims(cls, documents):
        "Return by document the lines in which it owes the money"
        raise NotImplementedError

    @classmethod
    def bank_settle(cls, lines):
        "Reconcile what the statement lines have completely paid"
        pool = Pool()
        Line = pool.get('account.move.line')
        StatementLine = pool.get('account.statement.line')
        cls.bank_give_back([
                l for l in lines if l.amount * cls._bank_sign < 0])
        documents = list(dict.fromkeys(l.related_to for l in lines))
        open_ = cls.bank_open_lines(documents)
        to_reconcile = []
        for document in documents:
            money = Line.search([
                    ('origin.related_to', '=', str(document),
                        StatementLine.__name__),
                    ('reconciliation', '=', None),
                    ('move_state', '=', 'posted'),
                    ], order=[('id', 'ASC')])
            # What the bank gave back is owed before what is paid again
            keys = defaultdict(lambda: ([], []))
            for line in [*(l for l in money if l.credit), *open_[document]]:
                keys[line.account, line.party][0].append((line, line.credit))
            for line in money:
                if line.debit:
                    keys[line.account, line.party][1].append(
                        (line, line.debit))
            for debts, amounts in keys.values():
                to_reconcile.extend(complete_sets(debts, amounts))
        Line.reconcile(*to_reconcile)

    @classmethod
    def bank_give_back(cls, lines):
        """Take back what was paid last with what the bank gives back

        Of a part that was not paid by itself nothing is reconciled.
        """
        pool = Pool()
        Line = pool.get('account.move.line')
        Reconciliation = pool.get('account.move.reconciliation')
        claims = cls.bank_claims(list({l.related_to for l in lines}))
        for returned in Line.search([
                    ('origin', 'in', [str(l) for l in lines]),
                    ('credit', '>', 0),
                    ('reconciliation', '=', None),
                    ], order=[('id', 'ASC')]):
            taken, left = [], returned.credit
            for payment in Line.search([
                        ['OR', *(
                                ('id', 'in', what_pays(claim.id))
                                for claim in claims[
                                    returned.origin.related_to])],
                        ('account', '=', returned.account.id),
                        ('party', '=', returned.party.id),
                        ], order=[('date', 'DESC'), ('id', 'DESC')]):
                if left <= 0:
                    break
                taken.append(payment)
                left -= payment.debit
            with Transaction().set_context(_skip_warnings=True):
                Reconciliation.delete(
                    list({p.reconciliation for p in taken}))
            if taken and not left:
                Line.reconcile([returned, *taken])
