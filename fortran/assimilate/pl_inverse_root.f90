!> Inverse square root of a tridiagonal matrix times a vector, without eigenvalues.
!>
!> For A = I + T/(N-1) with eigenvalues in [1, k], Hale, Higham and Trefethen (2008, SIAM J. Numer. Anal. 46, 2505-2523,
!> method 3) give poles and weights with A^(-1/2) = sum_j w_j (A + p_j I)^(-1), which converges geometrically. All
!> poles are solved together, one per vector lane, by the factorisation A + p I = L D L^T. The same
!> factorisation with p = 0 gives the mean update. The correction of the anomalies follows
!> without cancellation from sum_j w_j/(1+p_j) = 1:
!>
!>     (a^(-1/2) - 1)/(a - 1) = -sum_j w_j/(1 + p_j) / (a + p_j).
module pl_inverse_root
   use pl_constants, only: pi
   use pl_kinds, only: rk
   implicit none (type, external)
   private
   public :: inverse_root_type

   integer, parameter :: nclass = 2                                    !! sets of poles
   integer, parameter :: lanes_of_class(nclass) = [16, 24]             !! poles of a set, and one lane for p = 0
   real(rk), parameter :: bound_of_class(nclass) = [60.0_rk, 3.0e3_rk] !! largest k with an error below 1e-14
   integer, parameter :: most_lanes = maxval(lanes_of_class)
   integer, parameter :: group = 8                                     !! lanes of one loop, a vector register

   !> Poles, and the factorisation of one matrix.
   type :: inverse_root_type
      integer :: n = 0                                 !! order of the matrix
      integer :: nlane = 0                             !! lanes of the set in use
      real(rk) :: degrees = 1.0_rk                     !! N - 1
      real(rk) :: poles(most_lanes, nclass) = 0.0_rk   !! p; 0 in the last lane of a set
      real(rk) :: weights(most_lanes, nclass) = 0.0_rk !! -w/(1+p); 0 in the last lane of a set
      real(rk) :: weight(most_lanes) = 0.0_rk          !! weights of the set in use
      real(rk), allocatable :: ratio(:, :)             !! (most_lanes, n), subdiagonal of L
      real(rk), allocatable :: inverse(:, :)           !! (most_lanes, n), inverse of D
      real(rk), allocatable :: x(:, :)                 !! (most_lanes, n), solutions
   contains
      procedure :: create => root_create
      procedure :: factorise => root_factorise
      procedure :: correct => root_correct
      procedure :: solve => root_solve
   end type inverse_root_type

contains

   !> Allocate work space for matrices up to order `largest` and compute the poles.
   subroutine root_create(self, largest)
      class(inverse_root_type), intent(inout) :: self
      integer, intent(in) :: largest !! largest order
      integer :: class, npole
      allocate (self%ratio(most_lanes, largest), self%inverse(most_lanes, largest), self%x(most_lanes, largest))
      do class = 1, nclass
         npole = lanes_of_class(class) - 1
         call set_poles(npole, bound_of_class(class), self%poles(:npole, class), self%weights(:npole, class))
      end do
   end subroutine root_create

   !> Poles and weights of one set, by Jacobi's elliptic functions of parameter 1 - 1/k.
   !>
   !> Arithmetic-geometric mean: Abramowitz and Stegun (1964), 16.4 and 17.6.
   pure subroutine set_poles(npole, bound, poles, weights)
      integer, intent(in) :: npole          !! number of poles
      real(rk), intent(in) :: bound         !! largest eigenvalue k [1]
      real(rk), intent(out) :: poles(:)     !! p [1]
      real(rk), intent(out) :: weights(:)   !! -w/(1+p) [1]
      integer, parameter :: nstep = 8       !! the mean converges quadratically: more than enough
      real(rk) :: a(0:nstep), b, c(0:nstep), period, phi, previous, sn, cn, dn
      integer :: i, j
      a(0) = 1.0_rk
      b = sqrt(1.0_rk/bound)
      c(0) = sqrt(1.0_rk - 1.0_rk/bound)
      do i = 1, nstep
         a(i) = 0.5_rk*(a(i - 1) + b)
         c(i) = 0.5_rk*(a(i - 1) - b)
         b = sqrt(a(i - 1)*b)
      end do
      period = 0.5_rk*pi/a(nstep)
      do j = 1, npole
         phi = 2.0_rk**nstep*a(nstep)*(real(j, rk) - 0.5_rk)*period/real(npole, rk)
         do i = nstep, 1, -1
            previous = phi
            phi = 0.5_rk*(previous + asin(c(i)/a(i)*sin(previous)))
         end do
         sn = sin(phi)
         cn = cos(phi)
         dn = sqrt(sn*sn/bound + cn*cn)
         poles(j) = (sn/cn)**2
         weights(j) = -2.0_rk*period/(pi*real(npole, rk))*dn/(cn*cn)/(1.0_rk + poles(j))
      end do
   end subroutine set_poles

   !> Factorise `A + p I` for all poles, if the poles cover the spectrum.
   subroutine root_factorise(self, n, degrees, diagonal, off_diagonal, covered)
      class(inverse_root_type), intent(inout) :: self
      integer, intent(in) :: n                    !! order
      real(rk), intent(in) :: degrees             !! N - 1 [1]
      real(rk), intent(in) :: diagonal(:)         !! (n), diagonal of T [1]
      real(rk), intent(in) :: off_diagonal(:)     !! (n), off-diagonal of T, zero in the last element [1]
      logical, intent(out) :: covered             !! false where the condition number is beyond the poles
      real(rk) :: alpha, beta, bound, left
      integer :: class, first, i, j
      bound = 0.0_rk
      left = 0.0_rk
      do i = 1, n ! Gershgorin's discs
         bound = max(bound, diagonal(i) + abs(off_diagonal(i)) + left)
         left = abs(off_diagonal(i))
      end do
      bound = 1.0_rk + bound/degrees
      covered = bound <= bound_of_class(nclass)
      if (.not. covered) return
      class = 1
      if (bound > bound_of_class(1)) class = 2
      self%n = n
      self%degrees = degrees
      self%nlane = lanes_of_class(class)
      self%weight = self%weights(:, class)
      do first = 1, self%nlane, group
         beta = 0.0_rk
         do i = 1, n
            alpha = 1.0_rk + diagonal(i)/degrees
            if (i == 1) then
               !$omp simd
               do j = first, first + group - 1
                  self%inverse(j, i) = 1.0_rk/(alpha + self%poles(j, class))
               end do
            else
               !$omp simd
               do j = first, first + group - 1
                  self%inverse(j, i) = 1.0_rk/(alpha + self%poles(j, class) - self%ratio(j, i - 1)*beta)
               end do
            end if
            beta = off_diagonal(i)/degrees
            !$omp simd
            do j = first, first + group - 1
               self%ratio(j, i) = beta*self%inverse(j, i)
            end do
         end do
      end do
   end subroutine root_factorise

   !> Replace a vector by `((A^(-1/2) - I)/(A - I)) b / (N-1)`.
   pure subroutine root_correct(self, b)
      class(inverse_root_type), intent(inout) :: self
      real(rk), intent(inout) :: b(:) !! (n), vector in, result out [any unit]
      real(rk) :: sum(group), y(group)
      integer :: first, i, j
      do first = 1, self%nlane, group
         y = b(1)
         self%x(first:first + group - 1, 1) = y
         do i = 2, self%n
            !$omp simd
            do j = 1, group
               y(j) = b(i) - self%ratio(first + j - 1, i - 1)*y(j)
               self%x(first + j - 1, i) = y(j)
            end do
         end do
         y = 0.0_rk
         do i = self%n, 1, -1
            !$omp simd
            do j = 1, group
               y(j) = self%x(first + j - 1, i)*self%inverse(first + j - 1, i) - self%ratio(first + j - 1, i)*y(j)
               self%x(first + j - 1, i) = y(j)*self%weight(first + j - 1)
            end do
         end do
      end do
      do i = 1, self%n
         sum = self%x(:group, i) + self%x(group + 1:2*group, i)
         if (self%nlane > 2*group) sum = sum + self%x(2*group + 1:, i)
         b(i) = (((sum(1) + sum(5)) + (sum(2) + sum(6))) + ((sum(3) + sum(7)) + (sum(4) + sum(8))))/self%degrees
      end do
   end subroutine root_correct

   !> Replace a vector by `(T + (N-1) I)^(-1) b`.
   pure subroutine root_solve(self, b)
      class(inverse_root_type), intent(in) :: self
      real(rk), intent(inout) :: b(:) !! (n), vector in, solution out [any unit]
      integer :: i, k
      k = self%nlane ! the lane with p = 0
      do i = 2, self%n
         b(i) = b(i) - self%ratio(k, i - 1)*b(i - 1)
      end do
      b(self%n) = b(self%n)*self%inverse(k, self%n)
      do i = self%n - 1, 1, -1
         b(i) = b(i)*self%inverse(k, i) - self%ratio(k, i)*b(i + 1)
      end do
      b(:self%n) = b(:self%n)/self%degrees
   end subroutine root_solve

end module pl_inverse_root
