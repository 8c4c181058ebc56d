# This file is part of Tryton Coop.  The COPYRIGHT file at the top level of
# this repository contains the full copyright notices and license terms.
"""The tutorial of the documentation, by clicking: a cooperative's first year,
from an empty database to the report of its general meeting."""


def answer_company(sao):
    sao.create('party', "Fresh Cooperative")
    # There are other euros
    sao.choose('currency', 'EUR', "Euro")
    sao.set('timezone', 'UTC')
    sao.answer("Add")


def answer_cooperative(sao):
    sao.set('account_template', "Universal Chart of Accounts")
    sao.set('start_date', '01/01/2025')
    sao.reads('end_date', '12/31/2025')
    sao.set('category_name', "Persons")
    sao.set('share_name', "Member Shares")
    sao.set('share_code', 'A')
    sao.set('par_value', 50)
    sao.answer("Configure")
    # The plans for the surplus are shown beside
    sao.close()


def found(sao):
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


def admit(sao, name):
    sao.open_menu('Cooperative', 'Members', 'Members')
    sao.new()
    sao.create('party', name)
    sao.set('application_date', '02/02/2025')
    sao.set('admission_date', '02/02/2025')
    sao.press('admit')
    sao.reads('state', "Member")


def pay_shares(sao, name):
    sao.open_menu('Cooperative', 'Shares', 'Subscriptions')
    sao.new()
    sao.choose('member', name)
    sao.choose('share_class', "Member Shares")
    sao.set('date', '02/02/2025')
    sao.set('quantity', 2)
    sao.press('confirm')
    sao.press('pay')
    sao.set('date', '02/03/2025')
    sao.choose('payment_method', "Cash")
    sao.answer("Pay")
    sao.reads('state', "Paid")
    # Two shares of 50.00
    sao.reads('paid_amount', '100.00')


def share(sao):
    sao.open_menu('Products', 'Products')
    sao.new()
    sao.set('name', "Use of the workshop")
    sao.set('type', "Service")
    sao.choose('default_uom', "Hour")
    sao.page_("Accounting")
    sao.create('account_category', "Workshop", choices={
            'account_revenue': "Services",
            })
    sao.save()

    sao.open_menu('Cooperative', 'Commons', 'Resources')
    sao.new()
    sao.set('name', "Workshop")
    sao.choose('unit', "Hour")
    sao.set('bookable', True)
    sao.page_("Accounting")
    sao.choose('product', "Use of the workshop")
    sao.save()

    sao.open_menu('Cooperative', 'Commons', 'Tariffs')
    sao.new()
    sao.set('name', "Workshop")
    sao.choose('resource', "Workshop")
    sao.set('valid_from', '01/01/2025')
    sao.add("Components")
    sao.set('name', "Hours")
    sao.choose('unit', "Hour")
    sao.set('unit_price', 5)
    sao.accept()
    sao.press('approve')
    sao.reads('state', "Approved")


def book(sao):
    sao.open_menu('Cooperative', 'Commons', 'Bookings')
    sao.new()
    sao.choose('resource', "Workshop")
    sao.choose('member', "First Member")
    sao.set('start', '03/10/2025 09:00:00')
    sao.set('end', '03/10/2025 19:00:00')
    sao.press('confirm')
    sao.reads('state', "Confirmed")
    sao.press('start_use')
    sao.set('used_from', '03/10/2025 09:00:00')
    sao.set('used_until', '03/10/2025 19:00:00')
    sao.press('finish')
    sao.reads('state', "Done")

    sao.open_menu('Cooperative', 'Commons', 'Billings')
    sao.new()
    sao.set('end', '03/31/2025')
    sao.set('invoice_date', '03/31/2025')
    sao.press('compute')
    [invoice] = sao.rows("Invoices", "First Member")
    # 10 hours of 5.00
    assert any('50.00' in cell for cell in invoice)
    sao.press('post')
    sao.reads('state', "Posted")


def leave(sao):
    sao.open_menu('Cooperative', 'Members', 'Members')
    sao.page_("Members")
    sao.open_row("Second Member")
    sao.set('notice_date', '09/15/2025')
    sao.set('exit_reason', "Resignation")
    sao.press('give_notice')
    sao.reads('state', "Leaving")
    # Three months, and then the end of the fiscal year
    sao.reads('exit_date', '12/31/2025')
    sao.open_menu('Cooperative', 'Shares', 'Redemptions')
    sao.open_row("Second Member")
    sao.press('approve')
    sao.reads('state', "Approved")


def open_next_year(sao):
    sao.open_menu(
        'Financial', 'Configuration', 'Fiscal Years', 'Renew Fiscal Year')
    sao.reads('name', "2026")
    sao.answer("Create")
    sao.reads('start_date', '01/01/2026')


def end_shares(sao):
    sao.open_menu('Cooperative', 'Shares', 'Redemptions')
    sao.page_("Approved")
    sao.open_row("Second Member")
    sao.press('end')
    sao.reads('state', "Ended")
    sao.press('settle')
    sao.reads('state', "Settled")
    sao.open_menu('Cooperative', 'Members', 'Members')
    sao.page_("Leaving")
    sao.open_row("Second Member")
    sao.press('leave')
    sao.reads('state', "Left")


def close(sao):
    sao.open_menu('Financial', 'Processing', "Balance Non-Deferral")
    sao.choose('fiscalyear', "2025")
    sao.reads('journal', "Closing")
    sao.reads('period', "Closing 2025")
    sao.reads('credit_account', "Undivided Surplus")
    sao.accept()
    sao.press('post')
    sao.reads('state', "Posted")


def propose(sao):
    sao.open_menu(
        'Cooperative', 'Configuration', 'Patronage', "Patronage Categories")
    sao.new()
    sao.set('name', "Use")
    sao.set('source', "Customer Invoices")
    sao.save()
    sao.open_menu('Cooperative', 'Patronage', "Appropriations of Surplus")
    sao.new()
    sao.choose('fiscalyear', "2025")
    sao.choose('plan', "Generic")
    set_rate(sao, "Reserve", 10)
    set_rate(sao, "Patronage dividends", 80)
    sao.page_("Pools")
    sao.add("Pools")
    sao.set('name', "Use")
    sao.add("Categories", "Use")
    sao.accept()
    sao.press('compute')
    sao.reads('state', "Computed")
    sao.page_("Lines")
    # 50.00 less 5.00 for the reserve, of which 80 %
    assert [row[-1].split()[-1] for row in sao.rows("Lines")] == [
        '5.00', '0.00', '36.00', '9.00']


def set_rate(sao, line, rate):
    sao.open_row(line, "Lines")
    sao.set('rate', rate)
    sao.accept()


def meet(sao):
    sao.open_menu('Cooperative', 'Meetings', 'Meetings')
    sao.new()
    sao.set('date', '04/18/2026')
    sao.set('place', "Community hall")
    for subject, purpose in [
            ("Accounts of 2025", "Approval of the Accounts"),
            ("Surplus of 2025", "Appropriation of the Surplus")]:
        sao.add("Agenda")
        sao.set('subject', subject)
        sao.set('kind', "Resolution")
        sao.set('purpose', purpose)
        sao.set('fiscalyear', "2025")
        sao.set('majority', "Simple")
        sao.accept()
    sao.press('convene')
    sao.reads('state', "Convened")
    sao.page_("Attendance")
    sao.edit_row("First Member", "Attendance", 'presence', "Present")
    sao.press('open')
    sao.reads('state', "Open")
    sao.page_("Agenda")
    for subject in ["Accounts of 2025", "Surplus of 2025"]:
        sao.open_row(subject, "Agenda")
        sao.set('votes_for', 1)
        sao.accept()
    sao.press('close')
    sao.reads('state', "Closed")


def distribute(sao):
    sao.open_menu('Cooperative', 'Patronage', "Appropriations of Surplus")
    sao.open_row("2025")
    sao.set('posting_date', '04/18/2026')
    sao.page_("Other Info")
    sao.choose('resolution', "Surplus of 2025")
    sao.press('compute')
    sao.press('approve')
    sao.press('post')
    sao.reads('state', "Posted")


def print_report(sao, directory):
    sao.open_menu('Cooperative', 'Reporting', "Report to the Assembly")
    sao.set('fiscalyear', "2025")
    sao.reads('meeting', "04/18/2026")
    return sao.download(sao.foot("Print").click, directory)


def check_books(sao):
    sao.open_menu('Cooperative', 'Reporting', "Check Books")
    sao.answer("Check")
    sao.reads('summary', "The books balance")


def test_first_year(empty, tmp_path):
    sao = empty
    found(sao)
    for name in ["First Member", "Second Member"]:
        admit(sao, name)
        pay_shares(sao, name)
    share(sao)
    book(sao)
    leave(sao)
    open_next_year(sao)
    end_shares(sao)
    close(sao)
    propose(sao)
    meet(sao)
    distribute(sao)
    report = print_report(sao, tmp_path)
    assert report.read_bytes().startswith(b'PK')
    check_books(sao)
