!> Solve the linear system of a Newton iteration: GMRES, preconditioned from the right.
!>
!> Saad and Schultz (1986), SIAM J. Sci. Stat. Comput. 7, 856-869, with classical Gram-Schmidt: all products of an
!> iteration go in one reduction. Sums go row by row in a fixed order, so that results do not depend on threads.
module pl_flow_krylov
   use pl_error, only: error_state, error_type, raise_error
   use pl_flow_columns, only: multiply_rows
   use pl_flow_exchange, only: add_over_ranks, exchange_halo
   use pl_flow_model, only: flow_model_type
   use pl_flow_multigrid, only: precondition
   use pl_kinds, only: rk
   implicit none (type, external)
   private
   public :: solve_linear

contains

   !> fine%x <- approximate solution of J x = residual, to `share` of the residual.
   subroutine solve_linear(model, start, share, error)
      type(flow_model_type), intent(inout) :: model
      real(rk), intent(in) :: start   !! size of the residual [m]
      real(rk), intent(in) :: share   !! of it that may be left [1]
      type(error_type), allocatable, intent(out) :: error !! not enough memory
      real(rk), allocatable :: solution(:, :, :)
      real(rk) :: beta, reached, none(0)
      integer :: restart
      beta = start
      do restart = 1, model%options%max_restarts
         if (restart == 1) then
            call copy_scaled(model%nx*model%nz, model%ny, 1.0_rk/beta, model%residual, model%basis(:, :, :, 1))
         else ! what the solution so far leaves
            if (.not. allocated(solution)) allocate (solution(0:model%nx + 1, model%nz, 0:model%ny + 1), source=0.0_rk)
            solution = solution + model%fine%x
            model%fine%x = solution
            call apply_matrix(model, 0, none)
            model%basis(:, :, :, 1) = model%residual - model%basis(:, :, :, 1)
            beta = norm(model, model%basis(:, :, :, 1))
            model%basis(:, :, :, 1) = model%basis(:, :, :, 1)/beta
         end if
         call cycle_gmres(model, beta, share*start, reached, error)
         if (allocated(error)) return
         if (reached/start <= share) exit
      end do
      if (allocated(solution)) model%fine%x = model%fine%x + solution
   end subroutine solve_linear

   !> One cycle of GMRES from basis(:, :, :, 1); leaves the increment in fine%x.
   subroutine cycle_gmres(model, beta, target_norm, reached, error)
      type(flow_model_type), intent(inout) :: model
      real(rk), intent(in) :: beta        !! size of the right-hand side [m]
      real(rk), intent(in) :: target_norm !! [m]
      real(rk), intent(out) :: reached    !! size of what is left [m]
      type(error_type), allocatable, intent(out) :: error !! not enough memory
      integer :: m
      real(rk), allocatable :: h(:, :)
      real(rk), dimension(model%options%max_krylov + 1) :: cosine, sine, g, y
      real(rk) :: length, old
      integer :: l, q
      m = model%options%max_krylov
      allocate (h(m + 1, m))
      g = 0.0_rk
      g(1) = beta
      reached = beta
      q = 0
      y = 0.0_rk
      do
         q = q + 1
         if (q > 1) call scale_vector(model%nx*model%nz, model%ny, 1.0_rk/h(q, q - 1), model%basis(:, :, :, q))
         call reserve_vector(model, q + 1, error)
         if (allocated(error)) return
         call precondition(model, model%basis(:, :, :, q))
         call apply_matrix(model, q, h(:q, q))
         call orthogonalise(model, q, h(:, q))
         model%krylov = model%krylov + 1
         do l = 1, q - 1
            old = h(l, q)
            h(l, q) = cosine(l)*old + sine(l)*h(l + 1, q)
            h(l + 1, q) = cosine(l)*h(l + 1, q) - sine(l)*old
         end do
         length = hypot(h(q, q), h(q + 1, q))
         if (length <= 0.0_rk) then ! the matrix is singular on this basis: keep what there is
            q = q - 1
            exit
         end if
         cosine(q) = h(q, q)/length
         sine(q) = h(q + 1, q)/length
         h(q, q) = length
         g(q + 1) = -sine(q)*g(q)
         g(q) = cosine(q)*g(q)
         reached = abs(g(q + 1))
         if (reached <= target_norm .or. q == m) exit
      end do
      do l = q, 1, -1
         y(l) = (g(l) - dot_product(h(l, l + 1:q), y(l + 1:q)))/h(l, l)
      end do
      call combine(model%nx*model%nz, model%ny, size(model%basis, 4), q, y, model%basis)
      call precondition(model, model%basis(:, :, :, 1))
   end subroutine cycle_gmres

   !> basis(:, 1) <- sum of y(l) basis(:, l).
   subroutine combine(n, ny, held, q, y, basis)
      integer, intent(in) :: n, ny
      integer, intent(in) :: held !! vectors there is room for [1]
      integer, intent(in) :: q    !! vectors in use [1]
      real(rk), intent(in) :: y(:)
      real(rk), intent(inout) :: basis(n, ny, held)
      integer :: i, j, l
      !$omp parallel do schedule(static) private(i, l)
      do j = 1, ny
         do i = 1, n
            basis(i, j, 1) = y(1)*basis(i, j, 1)
         end do
         do l = 2, q
            do i = 1, n
               basis(i, j, 1) = basis(i, j, 1) + y(l)*basis(i, j, l)
            end do
         end do
      end do
   end subroutine combine

   !> Make basis vector q + 1 orthogonal to those before; `h` holds products of this rank, then products and length.
   subroutine orthogonalise(model, q, h)
      type(flow_model_type), intent(inout) :: model
      integer, intent(in) :: q
      real(rk), intent(inout) :: h(:)
      real(rk) :: products(q), again(q), length(1)
      products = h(:q)
      call add_over_ranks(model%exchange, products)
      call subtract(model%nx*model%nz, model%ny, size(model%basis, 4), q, products, model%basis, length(1))
      if (q > 4) then ! a second pass keeps the basis orthogonal in long cycles
         call project(model%nx*model%nz, model%ny, size(model%basis, 4), q, model%basis, again)
         call add_over_ranks(model%exchange, again)
         call subtract(model%nx*model%nz, model%ny, size(model%basis, 4), q, again, model%basis, length(1))
         products = products + again
      end if
      call add_over_ranks(model%exchange, length)
      h(:q) = products
      h(q + 1) = sqrt(length(1))
   end subroutine orthogonalise

   !> Products of vector q + 1 with those before.
   subroutine project(n, ny, held, q, basis, products)
      integer, intent(in) :: n, ny
      integer, intent(in) :: held !! vectors there is room for [1]
      integer, intent(in) :: q    !! vectors in use [1]
      real(rk), intent(in) :: basis(n, ny, held)
      real(rk), intent(out) :: products(q)
      real(rk) :: rows(q, ny)
      integer :: j, l
      !$omp parallel do schedule(static) private(l)
      do j = 1, ny
         do l = 1, q
            rows(l, j) = product_of(n, basis(:, j, l), basis(:, j, q + 1))
         end do
      end do
      products = sum(rows, dim=2)
   end subroutine project

   !> Subtract the share of the vectors before from vector q + 1; `square` is the square of its length then.
   subroutine subtract(n, ny, held, q, products, basis, square)
      integer, intent(in) :: n, ny
      integer, intent(in) :: held !! vectors there is room for [1]
      integer, intent(in) :: q    !! vectors in use [1]
      real(rk), intent(in) :: products(q)
      real(rk), intent(inout) :: basis(n, ny, held)
      real(rk), intent(out) :: square
      real(rk) :: rows(ny)
      integer :: i, j, l
      !$omp parallel do schedule(static) private(i, l)
      do j = 1, ny
         do l = 1, q
            do i = 1, n
               basis(i, j, q + 1) = basis(i, j, q + 1) - products(l)*basis(i, j, l)
            end do
         end do
         rows(j) = product_of(n, basis(:, j, q + 1), basis(:, j, q + 1))
      end do
      square = sum(rows)
   end subroutine subtract

   !> Scalar product of a row, in a fixed order that vectorises.
   pure real(rk) function product_of(n, a, b)
      integer, intent(in) :: n
      real(rk), intent(in) :: a(n), b(n)
      integer, parameter :: lanes = 16
      real(rk) :: sums(lanes)
      integer :: first, i
      sums = 0.0_rk
      do first = 1, n - lanes + 1, lanes
         do i = 1, lanes
            sums(i) = sums(i) + a(first + i - 1)*b(first + i - 1)
         end do
      end do
      do i = n - mod(n, lanes) + 1, n
         sums(1) = sums(1) + a(i)*b(i)
      end do
      product_of = sum(sums)
   end function product_of

   !> Length of a vector over all ranks.
   real(rk) function norm(model, vector)
      type(flow_model_type), intent(inout) :: model
      real(rk), intent(in) :: vector(model%nx*model%nz, model%ny)
      real(rk) :: rows(model%ny), total(1)
      integer :: j
      do j = 1, model%ny
         rows(j) = product_of(model%nx*model%nz, vector(:, j), vector(:, j))
      end do
      total(1) = sum(rows)
      call add_over_ranks(model%exchange, total)
      norm = sqrt(total(1))
   end function norm

   !> Basis vector q + 1 <- J x for x in fine%x, and its products with those before on this rank.
   subroutine apply_matrix(model, q, products)
      type(flow_model_type), intent(inout) :: model
      integer, intent(in) :: q
      real(rk), intent(out) :: products(q)
      real(rk) :: rows(q, model%ny)
      integer :: j, l, n
      n = model%nx*model%nz
      call exchange_halo(model%exchange, model%nx, model%nz, model%ny, model%fine%x)
      !$omp parallel do schedule(static) private(l)
      do j = 1, model%ny
         call multiply_rows(model%nx, model%nz, model%fine%centre(:, :, j), model%fine%west(:, :, j), model%fine%east(:, :, j), &
                            model%fine%south(:, :, j), model%fine%north(:, :, j), model%fine%up(:, :, j), &
                            model%fine%down(:, :, j), model%fine%x(:, :, j - 1:j + 1), model%basis(:, :, j, q + 1))
         do l = 1, q ! what the product with the matrix leaves in cache
            rows(l, j) = product_of(n, model%basis(:, :, j, l), model%basis(:, :, j, q + 1))
         end do
      end do
      products = sum(rows, dim=2)
   end subroutine apply_matrix

   !> to <- factor from.
   subroutine copy_scaled(n, ny, factor, from, to)
      integer, intent(in) :: n, ny
      real(rk), intent(in) :: factor
      real(rk), intent(in) :: from(n, ny)
      real(rk), intent(inout) :: to(n, ny)
      integer :: j
      !$omp parallel do schedule(static)
      do j = 1, ny
         to(:, j) = factor*from(:, j)
      end do
   end subroutine copy_scaled

   !> Multiply a vector by a number.
   subroutine scale_vector(n, ny, factor, vector)
      integer, intent(in) :: n, ny
      real(rk), intent(in) :: factor
      real(rk), intent(inout) :: vector(n, ny)
      integer :: j
      !$omp parallel do schedule(static)
      do j = 1, ny
         vector(:, j) = factor*vector(:, j)
      end do
   end subroutine scale_vector

   !> Make room for vector `q` of the basis.
   subroutine reserve_vector(model, q, error)
      type(flow_model_type), intent(inout) :: model
      integer, intent(in) :: q
      type(error_type), allocatable, intent(out) :: error !! not enough memory
      real(rk), allocatable :: larger(:, :, :, :)
      integer :: held, stat
      held = size(model%basis, 4)
      if (q <= held) return
      allocate (larger(model%nx, model%nz, model%ny, 2*held), stat=stat)
      if (stat /= 0) then
         call raise_error(error, error_state, "flow: not enough memory for the vectors of GMRES; use fewer cells per rank")
         return
      end if
      larger(:, :, :, :held) = model%basis
      call move_alloc(larger, model%basis)
   end subroutine reserve_vector

end module pl_flow_krylov
