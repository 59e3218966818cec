!> Singular evolutive interpolated Kalman filter: an ensemble of N members as a subspace of N - 1 directions.
!>
!> Pham, Verron and Roubaud (1998), J. Mar. Syst. 16, 323-340; Nerger, Hiller and Schroeter (2005), Tellus A 57,
!> 715-735; Nerger et al. (2012), Mon. Weather Rev. 140, 2335-2345. With L = X T (the first N - 1 anomalies),
!> the analysis covariance is L U L^T, U^-1 = (N-1) T^T T + (S^T T)^T (S^T T), and the analysis anomalies are
!> (N-1)^(1/2) L C Omega^T with U = C C^T and a matrix Omega (N x N-1) of orthonormal columns that sum to 0. The mean and
!> the covariance are those of the ETKF.
!>
!> U is taken from M^-1 = ((N-1) I + S S^T)^-1, with the same digits however large S is:
!> U_ij = m_ij - m_iN - m_Nj + m_NN, for the inverse of T takes an anomaly v to v_i - v_N.
module pl_transform_seik
   use pl_error, only: error_input, error_type, raise_error
   use pl_gain_matrix, only: gain_matrix_type
   use pl_kinds, only: rk
   use pl_symmetric_eigen, only: vector_lanes
   implicit none (type, external)
   private
   public :: householder_omega, root_cholesky, root_symmetric, seik_transform_type

   integer, parameter :: root_symmetric = 1 !! C is the symmetric root of U
   integer, parameter :: root_cholesky = 2  !! C^-T is the lower Cholesky factor of U^-1

   !> Transform of one set of observations; the work space is used again for the next one.
   type :: seik_transform_type
      integer :: nmember = 0                  !! members N
      integer :: root = root_symmetric        !! one of the two above
      real(rk), allocatable :: omega(:, :)    !! (N, N-1), Householder matrix less its last column [1]
      real(rk), allocatable :: share(:, :)    !! (N, N), K of pl_gain_matrix [1]
      real(rk), allocatable :: mean(:, :)     !! (N, 1), weights of the update of the mean [1]
      real(rk), allocatable :: block(:, :)    !! (vector_lanes, N-1), rows of Omega [1]
      type(gain_matrix_type) :: gain          !! Kalman gain
   contains
      procedure :: create => seik_create
      procedure :: compute => seik_compute
   end type seik_transform_type

contains

   !> Allocate work space and set the options.
   subroutine seik_create(self, nmember, root, error)
      class(seik_transform_type), intent(inout) :: self
      integer, intent(in) :: nmember                      !! members [1]
      integer, intent(in) :: root                         !! one of the two above
      type(error_type), allocatable, intent(out) :: error !! unknown root
      if (root /= root_symmetric .and. root /= root_cholesky) then
         call raise_error(error, error_input, "unknown number of a root of the SEIK filter; known are 1 and 2")
         return
      end if
      self%nmember = nmember
      self%root = root
      allocate (self%omega(nmember, nmember - 1), self%share(nmember, nmember), self%mean(nmember, 1), &
                self%block(vector_lanes, nmember - 1))
      call householder_omega(nmember, self%omega)
      call self%gain%create(nmember)
   end subroutine seik_create

   !> The first N - 1 columns of the reflection that takes (1, ..., 1)/N^(1/2) to minus the last unit vector.
   pure subroutine householder_omega(nmember, omega)
      integer, intent(in) :: nmember                           !! members [1]
      real(rk), intent(out) :: omega(nmember, nmember - 1)     !! orthonormal columns that sum to 0 [1]
      real(rk) :: entry
      integer :: j
      entry = 1.0_rk/sqrt(real(nmember, rk))
      omega = -entry*entry/(1.0_rk + entry)
      do j = 1, nmember - 1
         omega(j, j) = omega(j, j) + 1.0_rk
         omega(nmember, j) = -entry
      end do
   end subroutine householder_omega

   !> Weight matrix of one set of observations.
   subroutine seik_compute(self, nobs, anomalies, innovations, matrix, error, omega)
      class(seik_transform_type), intent(inout) :: self
      integer, intent(in) :: nobs                                 !! observations [1]
      real(rk), intent(in) :: anomalies(self%nmember, nobs)       !! S, over the error deviation [1]
      real(rk), intent(in) :: innovations(1, nobs)                !! over the error deviation [1]
      real(rk), intent(out) :: matrix(self%nmember, self%nmember) !! W [1]
      type(error_type), allocatable, intent(out) :: error         !! no convergence
      real(rk), intent(in), optional :: omega(:, :)               !! (N, N-1) in place of the Householder matrix [1]
      real(rk) :: factor
      integer :: first, j, last, n
      n = self%nmember
      call self%gain%factorise(nobs, anomalies, error)
      if (allocated(error)) return
      call self%gain%seen_share(nobs, anomalies, self%share)
      call self%gain%weigh(nobs, anomalies, 1, innovations, self%mean)
      call fill_inverse(n, self%share, self%gain%eigen%matrix)
      if (self%root == root_cholesky) then
         call factorise_backwards(n - 1, self%gain%eigen%matrix)
      else
         call self%gain%eigen%factorise(n - 1, error)
         if (allocated(error)) return
      end if
      factor = sqrt(real(n - 1, rk))
      do first = 1, n, vector_lanes
         last = min(first + vector_lanes - 1, n)
         self%block = 0.0_rk
         if (present(omega)) then
            self%block(:last - first + 1, :) = omega(first:last, :)
         else
            self%block(:last - first + 1, :) = self%omega(first:last, :)
         end if
         call apply_root(self)
         do j = first, last
            matrix(:n - 1, j) = self%mean(:n - 1, 1) + factor*self%block(j - first + 1, :)
            matrix(n, j) = self%mean(n, 1)
         end do
      end do
   end subroutine seik_compute

   !> The matrix U in coordinates of the first N - 1 anomalies, from M^-1 = (I - K)/(N-1).
   pure subroutine fill_inverse(n, share, matrix)
      integer, intent(in) :: n                   !! members [1]
      real(rk), intent(in) :: share(n, n)        !! K [1]
      real(rk), intent(inout) :: matrix(:, :)    !! U in the leading part [1]
      integer :: i, j
      do j = 1, n - 1
         do i = 1, n - 1
            matrix(i, j) = ((1.0_rk - share(n, n)) + ((share(i, n) + share(n, j)) - share(i, j)))/real(n - 1, rk)
         end do
         matrix(j, j) = matrix(j, j) + 1.0_rk/real(n - 1, rk)
      end do
   end subroutine fill_inverse

   !> Upper triangle C with A = C C^T, from the last row upwards.
   !>
   !> A direction whose variance is below the rounding of its diagonal has none: the observations leave it no spread.
   pure subroutine factorise_backwards(n, a)
      integer, intent(in) :: n             !! order [1]
      real(rk), intent(inout) :: a(:, :)   !! matrix in, factor in the upper triangle out [1]
      real(rk) :: pivot, least(n)
      integer :: i, j
      do j = 1, n
         least(j) = real(n, rk)*epsilon(1.0_rk)*a(j, j)
      end do
      do j = n, 1, -1
         pivot = 0.0_rk
         if (a(j, j) > least(j)) pivot = sqrt(a(j, j))
         a(j, j) = pivot
         do i = 1, j - 1
            if (pivot > 0.0_rk) then
               a(i, j) = a(i, j)/pivot
            else
               a(i, j) = 0.0_rk
            end if
         end do
         do i = 1, j - 1
            a(:i, i) = a(:i, i) - a(:i, j)*a(i, j)
         end do
      end do
   end subroutine factorise_backwards

   !> Replace each row x of the block by C x.
   pure subroutine apply_root(self)
      class(seik_transform_type), intent(inout) :: self
      real(rk) :: row(vector_lanes)
      integer :: i, j
      associate (b => self%block, eigen => self%gain%eigen)
         if (self%root == root_cholesky) then
            do i = 1, self%nmember - 1
               row = 0.0_rk
               do j = i, self%nmember - 1
                  row = row + eigen%matrix(i, j)*b(:, j)
               end do
               b(:, i) = row
            end do
         else
            call eigen%project(b)
            do i = 1, self%nmember - 1 ! rounding may leave a variance of 0 below it
               b(:, i) = sqrt(max(eigen%values(i), 0.0_rk))*b(:, i)
            end do
            call eigen%expand(b)
         end if
      end associate
   end subroutine apply_root

end module pl_transform_seik
