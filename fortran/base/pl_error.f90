!> Errors are values: a code and a sentence, passed up to the facade.
!>
!> Codes by hundreds decide the exception that Python raises (pyland/core/errors.py):
!> 1xx input, 2xx convergence, 3xx balance, 4xx state, 5xx not available in this build.
module pl_error
   implicit none (type, external)
   private
   public :: error_balance, error_convergence, error_input, error_state, error_type, error_unavailable
   public :: message_length, raise_error, report

   integer, parameter :: message_length = 512    !! characters of a facade message
   integer, parameter :: error_input = 100       !! a value or shape that the caller must change
   integer, parameter :: error_convergence = 200 !! an iteration reached its bound
   integer, parameter :: error_balance = 300     !! water or energy does not close
   integer, parameter :: error_state = 400       !! the state holds an impossible value
   integer, parameter :: error_unavailable = 500 !! not available in this build

   !> An error on its way up; not allocated means no error.
   type :: error_type
      integer :: code = 0                      !! one of the codes above plus a detail number
      character(len=:), allocatable :: message !! a sentence: what, where, expected, got, what to do
   end type error_type

contains

   !> Create an error.
   pure subroutine raise_error(error, code, message)
      type(error_type), allocatable, intent(out) :: error !! the error to create
      integer, intent(in) :: code                         !! code, see above
      character(len=*), intent(in) :: message             !! sentence for the user
      allocate (error)
      error%code = code
      error%message = trim(message)
   end subroutine raise_error

   !> Hand an error over to a facade's last two arguments; the text begins with its code.
   pure subroutine report(error, ierr, errmsg)
      type(error_type), allocatable, intent(in) :: error !! error or not allocated
      integer, intent(out) :: ierr                       !! 0 or the code
      character(len=message_length), intent(out) :: errmsg !! blank or `[Ecode] sentence`
      character(len=8) :: code
      ierr = 0
      errmsg = ""
      if (.not. allocated(error)) return
      ierr = error%code
      write (code, "(i0)") error%code
      errmsg = "[E"//trim(code)//"] "//error%message
   end subroutine report

end module pl_error
