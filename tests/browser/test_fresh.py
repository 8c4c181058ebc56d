# This file is part of Tryton Coop.  The COPYRIGHT file at the top level of
# this repository contains the full copyright notices and license terms.
"""From an empty database to a first member with a paid share, by clicking."""


def answer_company(sao):
    sao.create('party', "Fresh Cooperative")
    # There are other euros
    sao.choose('currency', 'EUR', "Euro")
    sao.set('timezone', 'Europe/Rome')
    sao.answer("Add")


def answer_cooperative(sao):
    sao.set('account_template', "Universal Chart of Accounts")
    sao.set('start_date', '01/01/2026')
    sao.set('end_date', '12/31/2026')
    sao.set('category_name', "Persons")
    sao.set('share_name', "Member Shares")
    sao.set('share_code', 'A')
    sao.set('par_value', 50)
    sao.answer("Configure")
    # The plans for the surplus are shown beside
    sao.close()


def test_first_member(empty):
    sao = empty
    done = []
    # The wizards that configure the modules follow each other
    while title := sao.wizard():
        if sao.has_field('category_name'):
            answer_cooperative(sao)
            done.append('cooperative')
        elif sao.has_field('party'):
            answer_company(sao)
            done.append('company')
        elif "Module Configuration" in title or "Company" in title:
            sao.accept()
        else:
            # Languages, users and the chart of accounts, which is made with
            # the cooperative
            sao.cancel()
    assert done == ['company', 'cooperative']

    sao.open_menu('Cooperative', 'Members', 'Members')
    sao.new()
    sao.create('party', "First Member")
    sao.set('application_date', '02/02/2026')
    sao.set('admission_date', '02/02/2026')
    sao.press('admit')
    sao.reads('state', "Member")

    sao.open_menu('Cooperative', 'Shares', 'Subscriptions')
    sao.new()
    sao.choose('member', "First Member")
    sao.choose('share_class', "Member Shares")
    sao.set('date', '02/02/2026')
    sao.set('quantity', 2)
    sao.press('confirm')
    sao.press('pay')
    sao.set('date', '02/03/2026')
    sao.choose('payment_method', "Cash")
    sao.answer("Pay")
    sao.reads('state', "Paid")
    # Two shares of 50.00
    sao.reads('paid_amount', '100.00')
